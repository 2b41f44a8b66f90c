using System.Text;
using Kata.Oci;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace Kata.Configuration;

/// <summary>Flattens a TOML text into its values with their lines. Dotted keys and inline tables give the same as tables.</summary>
internal static class TomlReader
{
    /// <summary>The largest file that is read; shipped ones have 30 KiB.</summary>
    internal const int MaxBytes = 256 * 1024;

    private const int MaxNesting = 64;
    private const int MaxMessage = 200;

    /// <summary>Reads one file; the text is not trusted.</summary>
    /// <param name="utf8">The content.</param>
    /// <param name="fileName">For error texts.</param>
    /// <exception cref="ConfigurationException">The text is too large, not UTF-8, or not TOML.</exception>
    internal static List<TomlEntry> Read(ReadOnlySpan<byte> utf8, string fileName)
    {
        string text = Decode(utf8, fileName);
        CheckNesting(text, fileName);
        DocumentSyntax document = SyntaxParser.Parse(text, fileName, validate: true);
        foreach (DiagnosticMessage message in document.Diagnostics)
        {
            if (message.Kind == DiagnosticMessageKind.Error)
            {
                string cause = message.Message.TrimEnd('.');
                throw new ConfigurationException(
                    new ConfigurationOrigin(fileName, message.Span.Start.Line + 1),
                    "it is not TOML: " + SpecText.Clean(cause.Length > MaxMessage ? cause[..MaxMessage] : cause),
                    "Correct that line");
            }
        }

        var entries = new List<TomlEntry>();
        AddItems(entries, [], document.KeyValues);
        foreach (TableSyntaxBase table in document.Tables)
        {
            List<string> path = PathOf(table.Name!);
            if (table is TableArraySyntax) // no known table is an array: keep it as one opaque value
                entries.Add(new TomlEntry(path, null, "[[...]]", table.Span.Start.Line + 1));
            else
                AddItems(entries, path, table.Items);
        }

        return entries;
    }

    private static string Decode(ReadOnlySpan<byte> utf8, string fileName)
    {
        if (utf8.Length > MaxBytes)
        {
            throw new ConfigurationException(
                new ConfigurationOrigin(fileName, 0),
                FormattableString.Invariant($"it has {utf8.Length} bytes"),
                FormattableString.Invariant($"At most {MaxBytes} bytes are read"));
        }

        if (utf8.StartsWith("\uFEFF"u8))
            utf8 = utf8["\uFEFF"u8.Length..];
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(utf8);
        }
        catch (DecoderFallbackException exception)
        {
            throw new ConfigurationException(
                new ConfigurationOrigin(fileName, Encoding.UTF8.GetString(utf8[..Math.Max(0, exception.Index)]).Count(c => c == '\n') + 1),
                "it is not UTF-8",
                "Save the file as UTF-8",
                exception);
        }
    }

    /// <summary>
    /// The parser recurses; a file of brackets would end the process. Brackets inside strings and comments count too, which is
    /// harmless: they come in pairs, or in small numbers.
    /// </summary>
    internal static void CheckNesting(string text, string fileName)
    {
        int depth = 0, line = 1;
        foreach (char c in text)
        {
            if (c == '\n')
                line++;
            else if (c is '[' or '{' && ++depth > MaxNesting)
            {
                throw new ConfigurationException(
                    new ConfigurationOrigin(fileName, line), "arrays are nested too deeply", $"At most {MaxNesting} levels are read");
            }
            else if (c is ']' or '}' && depth > 0)
                depth--;
        }
    }

    private static void AddItems(List<TomlEntry> entries, List<string> prefix, SyntaxList<KeyValueSyntax> items)
    {
        foreach (KeyValueSyntax item in items)
            Add(entries, [.. prefix, .. PathOf(item.Key!)], item.Value!, item.Span.Start.Line + 1);
    }

    private static void Add(List<TomlEntry> entries, List<string> path, ValueSyntax value, int line)
    {
        if (value is not InlineTableSyntax table)
        {
            entries.Add(new TomlEntry(path, Content(value), value.ToString().Trim(), line));
            return;
        }

        foreach (InlineTableItemSyntax item in table.Items)
            Add(entries, [.. path, .. PathOf(item.KeyValue!.Key!)], item.KeyValue.Value!, item.Span.Start.Line + 1);
    }

    private static object? Content(ValueSyntax value) => value switch
    {
        StringValueSyntax text => text.Value ?? "",
        BooleanValueSyntax flag => flag.Value,
        IntegerValueSyntax whole => whole.Value,
        FloatValueSyntax number => number.Value,
        ArraySyntax array => StringsOf(array),
        _ => null,
    };

    private static string[]? StringsOf(ArraySyntax array)
    {
        var strings = new List<string>();
        foreach (ArrayItemSyntax item in array.Items)
        {
            if (item.Value is not StringValueSyntax text)
                return null;
            strings.Add(text.Value ?? "");
        }

        return [.. strings];
    }

    /// <summary>The parts of a dotted key, unquoted.</summary>
    internal static List<string> PathOf(KeySyntax key)
    {
        List<string> path = [NameOf(key.Key!)];
        foreach (DottedKeyItemSyntax item in key.DotKeys)
            path.Add(NameOf(item.Key!));
        return path;
    }

    private static string NameOf(BareKeyOrStringValueSyntax key) => key switch
    {
        StringValueSyntax text => text.Value ?? "",
        BareKeySyntax bare => bare.Key?.Text ?? "",
        _ => "",
    };
}
