using Google.Protobuf.WellKnownTypes;
using Kata.Linux;
using Kata.Oci;

namespace Kata.Service;

/// <summary>A JSON document of the OCI specification as containerd sends it: in an Any that says which one it is.</summary>
internal static class OciDocument
{
    /// <summary>What containerd puts before the type's name; some clients leave it out.</summary>
    private const string Prefix = "types.containerd.io/opencontainers/runtime-spec/1/";

    /// <param name="document">As it came; null is an empty one.</param>
    /// <param name="type">What it must be, in the specification's words of Go: <c>Process</c>, <c>LinuxResources</c>.</param>
    /// <exception cref="InvalidSpecException">It says that it is something else.</exception>
    public static ReadOnlySpan<byte> Read(Any? document, string type)
    {
        document ??= new Any();
        string given = document.TypeUrl;
        return given.Length == 0 || given[(given.LastIndexOf('/') + 1)..] == type
            ? document.Value.Span
            : throw new InvalidSpecException(
                "/", $"is of the type '{PrintableText.Escape(given)}'", $"Send a document of the type '{Prefix}{type}'");
    }
}
