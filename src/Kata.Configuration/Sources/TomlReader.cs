using System.Text;
using Kata.Oci;
using Tomlyn;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace Kata.Configuration;

/// <summary>Flattens a TOML text into its values with their lines. Dotted keys and inline tables give the same as tables.</summary>
internal static class TomlReader
{
    /// <summary>The largest file that is read; shipped ones have 30 KiB.</summary>
    internal const int MaxBytes = 256 * 1024;

    private const int MaxMessage = 200;

    /// <summary>Reads one file; the text is not trusted.</summary>
    /// <param name="utf8">The content.</param>
    /// <param name="fileName">For error texts.</param>
    /// <exception cref="ConfigurationException">The text is too large, not UTF-8, or not TOML.</exception>
    internal static List<TomlEntry> Read(ReadOnlySpan<byte> utf8, string fileName)
    {
        string text = Decode(utf8, fileName);
        DocumentSyntax document = Parse(text, fileName, out TomlError? error);
        if (error is not null)
        {
            throw new ConfigurationException(
                new ConfigurationOrigin(fileName, error.Line), $"it is not TOML: {error.Cause}", "Correct that line");
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

    /// <summary>Parses a text as far as it goes; the first error in it, or null.</summary>
    internal static DocumentSyntax Parse(string text, string fileName, out TomlError? error)
    {
        try
        {
            DocumentSyntax document = SyntaxParser.Parse(text, fileName, validate: true);
            DiagnosticMessage? first = document.Diagnostics.FirstOrDefault(static message => message.Kind == DiagnosticMessageKind.Error);
            error = first is null ? null
                : new TomlError(first.Span.Start.Line + 1, first.Span.Start.Column + 1, Shorten(first.Message.TrimEnd('.')));
            return document;
        }
        catch (ArgumentOutOfRangeException)
        {
            // The lexer cannot name the character that it misses when the text ends within an escape.
            error = new TomlError(text.Count(static c => c == '\n') + 1, text.Length - text.LastIndexOf('\n'), "it ends within an escape");
            return new DocumentSyntax();
        }
        catch (TomlException exception)
        {
            // It stops at 64 levels of arrays and tables, without saying where.
            error = new TomlError(exception.Line ?? 0, exception.Column ?? 0, Shorten(exception.Message.Split(". ")[0]));
            return new DocumentSyntax();
        }
    }

    private static string Shorten(string cause) => SpecText.Clean(cause.Length > MaxMessage ? cause[..MaxMessage] : cause);

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
