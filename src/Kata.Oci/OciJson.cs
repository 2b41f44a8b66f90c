using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;

namespace Kata.Oci;

/// <summary>Reads and writes OCI documents: bounded in size and depth, and clear about what is wrong.</summary>
/// <remarks>
/// The reader is the source-generated one. Only when it refuses a document is the document read a second time, against the same
/// metadata, to find the field that is wrong and to say what it holds and what it may hold: good input never pays for that.
/// </remarks>
public static class OciJson
{
    /// <summary>The largest document that is read, in bytes. Real ones have a few tens of kilobytes.</summary>
    public const int MaxBytes = 16 * 1024 * 1024;

    /// <summary>The deepest nesting that is read. The specification itself needs about ten levels.</summary>
    public const int MaxDepth = 64;

    /// <summary>
    /// What the serializer knows of the documents' types: 0.3 MB, made again by the first document after a full collection. A process that
    /// idles does not keep it.
    /// </summary>
    private static readonly WeakReference<OciJsonContext?> s_context = new(null);

    /// <summary>Reads a <c>config.json</c>; the text is not trusted. Only the shape is checked, see <see cref="SpecValidator"/>.</summary>
    /// <exception cref="InvalidSpecException">The text is too large, not JSON, or a field has the wrong type or is missing.</exception>
    public static RuntimeSpec ParseSpec(ReadOnlySpan<byte> utf8) => Parse(utf8, Context.RuntimeSpec);

    /// <summary>Reads a process document, as <c>exec --process</c> takes it; the text is not trusted.</summary>
    /// <exception cref="InvalidSpecException">The text is too large, not JSON, or a field has the wrong type or is missing.</exception>
    public static ProcessSpec ParseProcess(ReadOnlySpan<byte> utf8) => Parse(utf8, Context.ProcessSpec);

    /// <summary>Reads a resources document, as <c>update --resources</c> takes it; the text is not trusted.</summary>
    /// <exception cref="InvalidSpecException">The text is too large, not JSON, or a field has the wrong type or is missing.</exception>
    public static LinuxResources ParseResources(ReadOnlySpan<byte> utf8) => Parse(utf8, Context.LinuxResources);

    /// <summary>Reads a state document; the text is not trusted.</summary>
    /// <exception cref="InvalidSpecException">The text is too large, not JSON, or a field has the wrong type or is missing.</exception>
    public static RuntimeState ParseState(ReadOnlySpan<byte> utf8) => Parse(utf8, Context.RuntimeState);

    /// <summary>Writes a specification as UTF-8 JSON without white space.</summary>
    public static byte[] Write(RuntimeSpec spec) => JsonSerializer.SerializeToUtf8Bytes(spec, Context.RuntimeSpec);

    /// <summary>Writes a process document as UTF-8 JSON without white space.</summary>
    public static byte[] Write(ProcessSpec process) => JsonSerializer.SerializeToUtf8Bytes(process, Context.ProcessSpec);

    /// <summary>Writes a resources document as UTF-8 JSON without white space.</summary>
    public static byte[] Write(LinuxResources resources) =>
        JsonSerializer.SerializeToUtf8Bytes(resources, Context.LinuxResources);

    /// <summary>Writes a state document as UTF-8 JSON without white space.</summary>
    public static byte[] Write(RuntimeState state) => JsonSerializer.SerializeToUtf8Bytes(state, Context.RuntimeState);

    private static OciJsonContext Context
    {
        get
        {
            if (!s_context.TryGetTarget(out OciJsonContext? context))
            {
                context = new OciJsonContext(new JsonSerializerOptions(OciJsonContext.Default.Options)); // two at once are as good
                s_context.SetTarget(context);
            }

            return context;
        }
    }

    /// <summary>Reads another document, with the same limits and the same care in what it says.</summary>
    /// <exception cref="InvalidSpecException">The text is too large, not JSON, or a field has the wrong type or is missing.</exception>
    internal static T Parse<T>(ReadOnlySpan<byte> utf8, JsonTypeInfo<T> type)
        where T : class
    {
        if (utf8.Length > MaxBytes)
        {
            throw new InvalidSpecException("", $"has {utf8.Length} bytes", $"At most {MaxBytes} bytes are read");
        }

        if (utf8.StartsWith("\uFEFF"u8))
            utf8 = utf8["\uFEFF"u8.Length..];

        try
        {
            T? document = JsonSerializer.Deserialize(utf8, type);
            if (document is null)
                throw new InvalidSpecException("", "holds only null", "It must be an object");

            // Nearly no document has a null at all, so this costs one search.
            if (utf8.IndexOf("null"u8) >= 0 && JsonShape.FindNull(utf8, type) is { } wrong)
                throw wrong;
            if ((!Utf8.IsValid(utf8) || utf8.IndexOf("\\ud"u8) >= 0 || utf8.IndexOf("\\uD"u8) >= 0)
                && JsonShape.FindBrokenText(utf8) is { } broken)
            {
                throw broken;
            }

            return document;
        }
        catch (JsonException exception)
        {
            throw JsonShape.Explain(utf8, type, exception);
        }
    }
}
