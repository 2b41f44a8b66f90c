using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kata.Oci;

namespace Kata.Runtime.Commands;

/// <summary>The JSON that a command of <c>network</c> is given.</summary>
internal static class NetworkFile
{
    /// <summary>Far more than thousands of routes have.</summary>
    private const int MaxBytes = 1024 * 1024;

    private const string InterfaceExample = """{"name": "eth1", "IPAddresses": [{"address": "10.0.0.2", "mask": "24"}]}""";
    private const string RoutesExample = """[{"dest": "10.1.0.0/16", "gateway": "10.0.0.1", "device": "eth1"}]""";

    /// <param name="path">A file, or <c>-</c> for standard input.</param>
    /// <exception cref="ArgumentException">It holds something else.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static InterfaceDocument ReadInterface(string path) => ParseInterface(Read(path), path);

    /// <inheritdoc cref="ReadInterface"/>
    public static List<RouteDocument> ReadRoutes(string path) => ParseRoutes(Read(path), path);

    /// <inheritdoc cref="ReadInterface"/>
    /// <param name="utf8">What it holds.</param>
    /// <param name="path">For errors.</param>
    public static InterfaceDocument ParseInterface(ReadOnlySpan<byte> utf8, string path) =>
        Parse(utf8, path, NetworkJsonContext.Default.InterfaceDocument, "an interface", InterfaceExample);

    /// <inheritdoc cref="ParseInterface"/>
    public static List<RouteDocument> ParseRoutes(ReadOnlySpan<byte> utf8, string path) =>
        Parse(utf8, path, NetworkJsonContext.Default.ListRouteDocument, "a list of routes", RoutesExample);

    private static T Parse<T>(ReadOnlySpan<byte> utf8, string path, JsonTypeInfo<T> type, string what, string example)
        where T : class
    {
        if (utf8.StartsWith("\uFEFF"u8))
        {
            utf8 = utf8["\uFEFF"u8.Length..];
        }

        string from = SpecText.Quote(path);
        try
        {
            T? document = JsonSerializer.Deserialize(utf8, type);
            return document is null || (document is List<RouteDocument?> routes && routes.Contains(null))
                ? throw new ArgumentException($"Cannot read {what} from {from}: it is null. Write it like {example}")
                : document;
        }
        catch (JsonException error)
        {
            string where = error.LineNumber is { } line ? FormattableString.Invariant($" (line {line + 1})") : "";
            string field = error.Path is { Length: > 1 } at ? $" at {SpecText.Quote(at)}" : "";
            throw new ArgumentException(
                $"Cannot read {what} from {from}: it is no JSON of that form{field}{where}. Write it like {example}");
        }
    }

    private static byte[] Read(string path)
    {
        using Stream stream = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
        using var buffer = new MemoryStream();
        byte[] piece = new byte[16 * 1024];
        for (int length; (length = stream.Read(piece)) > 0;)
        {
            buffer.Write(piece, 0, length);
            if (buffer.Length > MaxBytes)
            {
                throw new ArgumentException($"Cannot read {SpecText.Quote(path)}: it has more than {MaxBytes} bytes. Give less at a time");
            }
        }

        return buffer.ToArray();
    }
}
