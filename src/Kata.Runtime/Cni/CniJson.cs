using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Kata.Oci;

namespace Kata.Runtime.Cni;

/// <summary>
/// Reads and writes the specification's documents by hand: what others have put there goes through as it is, and a serializer would be a
/// hundredth of the whole executable.
/// </summary>
internal static class CniJson
{
    private static readonly JsonWriterOptions s_readable = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // people read errors, and no browser does: an apostrophe may be one
    };

    /// <param name="utf8">A document.</param>
    /// <param name="what">What it is, for errors.</param>
    /// <exception cref="CniException">It is no object.</exception>
    public static JsonElement Parse(ReadOnlyMemory<byte> utf8, string what)
    {
        if (!Utf8.IsValid(utf8.Span)) // the reader does not look into texts, and what is written of them would be another one
        {
            throw Undecodable($"Cannot read {what}: it is no UTF-8");
        }

        try
        {
            using var document = JsonDocument.Parse(utf8, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return Required(document.RootElement.Clone(), JsonValueKind.Object, what, "");
        }
        catch (JsonException error)
        {
            string line = error.LineNumber is { } number ? FormattableString.Invariant($" in line {number + 1}") : "";
            throw Undecodable($"Cannot read {what}: it is no JSON{line}", error);
        }
        catch (InvalidOperationException error) // half of a surrogate pair, in a name
        {
            throw Undecodable($"Cannot read {what}: it has a name that is no text", error);
        }
    }

    /// <summary>The text of a property; null when there is none, or null.</summary>
    /// <param name="item">An object.</param>
    /// <param name="name">The property.</param>
    /// <param name="what">What the document is, for errors.</param>
    /// <param name="path">Where the object is in there: empty, or with a dot at the end.</param>
    /// <exception cref="CniException">It is something else.</exception>
    public static string? Text(JsonElement item, string name, string what, string path)
    {
        if (Property(item, name) is not { } value)
        {
            return null;
        }

        try
        {
            return Required(value, JsonValueKind.String, what, path + name).GetString();
        }
        catch (InvalidOperationException error) // half of a surrogate pair
        {
            throw Undecodable($"Cannot read {what}: {SpecText.Quote(path + name)} is no text", error);
        }
    }

    /// <inheritdoc cref="Text"/>
    /// <exception cref="CniException">It is something else, or not there.</exception>
    public static string RequiredText(JsonElement item, string name, string what, string path) =>
        Text(item, name, what, path) ?? throw Undecodable($"Cannot read {what}: it has no {SpecText.Quote(path + name)}");

    /// <summary>The number of a property; null when there is none, or null.</summary>
    /// <inheritdoc cref="Text"/>
    public static int? Number(JsonElement item, string name, string what, string path) =>
        Property(item, name) is not { } value ? null
        : Required(value, JsonValueKind.Number, what, path + name).TryGetInt32(out int number) ? number
        : throw Undecodable($"Cannot read {what}: {SpecText.Quote(path + name)} is too large, or no whole number");

    /// <summary>The objects of a property; none when there is none, or null.</summary>
    /// <param name="item">An object.</param>
    /// <param name="name">The property.</param>
    /// <param name="what">What the document is, for errors.</param>
    /// <param name="read">Reads one, from where it is: for errors, with a dot at the end.</param>
    /// <exception cref="CniException">It is something else.</exception>
    public static List<T> Objects<T>(JsonElement item, string name, string what, Func<JsonElement, string, T> read)
        where T : class
    {
        List<T> objects = [];
        if (Property(item, name) is { } value)
        {
            foreach (JsonElement element in Required(value, JsonValueKind.Array, what, name).EnumerateArray())
            {
                string path = FormattableString.Invariant($"{name}[{objects.Count}]");
                objects.Add(read(Required(element, JsonValueKind.Object, what, path), path + "."));
            }
        }

        return objects;
    }

    /// <summary>A property; null when there is none, or null.</summary>
    public static JsonElement? Property(JsonElement item, string name) =>
        item.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>Writes a document.</summary>
    public static string Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, s_readable))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>The error of a document that is of another form.</summary>
    public static CniException Undecodable(string text, Exception? cause = null) =>
        new(CniErrorCode.Decoding, text, "See docs/how-to/cni.md for one", cause);

    private static JsonElement Required(JsonElement value, JsonValueKind kind, string what, string path) => value.ValueKind == kind
        ? value
        : throw Undecodable(path.Length == 0
            ? $"Cannot read {what}: it is no object"
            : $"Cannot read {what}: {SpecText.Quote(path)} is not of the kind '{kind}'");
}
