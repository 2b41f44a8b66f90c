using System.Text.Json;

namespace Kata.Hypervisor.Qemu.Qmp;

/// <summary>
/// One message from QEMU, <c>docs/interop/qmp-spec.txt</c> of QEMU. The guest can cause events and choose parts of their data:
/// nothing in here is trusted, and every text is bounded by <see cref="MaxBytes"/>.
/// </summary>
internal sealed record QmpMessage
{
    /// <summary>A longer line ends the connection. The longest answer that we ask for is a few hundred bytes.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>Deeper nesting is refused.</summary>
    public const int MaxDepth = 32;

    private static readonly JsonDocumentOptions s_strict = new() { MaxDepth = MaxDepth };

    public required QmpMessageKind Kind { get; init; }

    /// <summary>Of an answer: the number that the command was sent with, or null.</summary>
    public long? Id { get; init; }

    /// <summary>The event's name, or the error's class.</summary>
    public string Name { get; init; } = "";

    /// <summary>The error's description.</summary>
    public string Description { get; init; } = "";

    /// <summary>The answer's or event's data; of an undefined kind when there is none.</summary>
    public JsonElement Data { get; init; }

    /// <summary>Reads one line.</summary>
    /// <exception cref="QmpProtocolException">
    /// Not JSON, too deep or too long, or not a QMP message. Nothing else is ever thrown.
    /// </exception>
    public static QmpMessage Parse(ReadOnlySpan<byte> line)
    {
        if (line.Length > MaxBytes)
        {
            throw new QmpProtocolException($"a message is longer than {MaxBytes} bytes");
        }

        try
        {
            var reader = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = s_strict.MaxDepth });
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            if (reader.Read())
            {
                throw new QmpProtocolException("one line holds more than one value");
            }

            return Interpret(document.RootElement);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string that is not UTF-8 inside valid JSON.
            throw new QmpProtocolException("a message is not valid JSON", error);
        }
    }

    private static QmpMessage Interpret(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new QmpProtocolException($"a message is of the JSON kind {root.ValueKind}, not an object");
        }

        if (root.TryGetProperty("event", out JsonElement name))
        {
            return new QmpMessage { Kind = QmpMessageKind.Event, Name = Text(name, "event"), Data = DataOf(root, "data") };
        }

        if (root.TryGetProperty("return", out _))
        {
            return new QmpMessage { Kind = QmpMessageKind.Return, Id = IdOf(root), Data = DataOf(root, "return") };
        }

        if (root.TryGetProperty("error", out JsonElement error) && error.ValueKind == JsonValueKind.Object)
        {
            return new QmpMessage
            {
                Kind = QmpMessageKind.Error,
                Id = IdOf(root),
                Name = error.TryGetProperty("class", out JsonElement kind) ? Text(kind, "class") : "",
                Description = error.TryGetProperty("desc", out JsonElement text) ? Text(text, "desc") : "",
            };
        }

        return root.TryGetProperty("QMP", out JsonElement greeting) && greeting.ValueKind == JsonValueKind.Object
            ? new QmpMessage { Kind = QmpMessageKind.Greeting, Data = DataOf(root, "QMP") }
            : throw new QmpProtocolException("a message is neither a greeting, an answer, an error nor an event");
    }

    private static JsonElement DataOf(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement data) ? data.Clone() : default;

    private static long? IdOf(JsonElement root) =>
        root.TryGetProperty("id", out JsonElement id) && id.ValueKind == JsonValueKind.Number && id.TryGetInt64(out long number)
            ? number : null;

    private static string Text(JsonElement element, string name) => element.ValueKind == JsonValueKind.String
        ? element.GetString()!
        : throw new QmpProtocolException($"'{name}' is of the JSON kind {element.ValueKind}, not a string");
}
