using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kata.Oci;

namespace Kata.Service;

/// <summary>
/// What an operator gives containerd for this runtime. Both names of the message are in use; other options are other runtimes'.
/// </summary>
internal static class RuntimeOptions
{
    /// <summary>The configuration file that they name, or null.</summary>
    /// <exception cref="InvalidSpecException">They cannot be read.</exception>
    public static string? ConfigPathOf(Any? options)
    {
        if (options?.TypeUrl is not ("runtimeoptions.v1.Options" or "containerd.runtimeoptions.v1.Options"
            or "types.containerd.io/runtimeoptions.v1.Options"))
        {
            return null;
        }

        try
        {
            return Containerd.Protocol.Types.Options.Parser.ParseFrom(options.Value) is { ConfigPath: { Length: > 0 } path } ? path : null;
        }
        catch (InvalidProtocolBufferException error)
        {
            throw new InvalidSpecException(
                "/options", $"is no '{options.TypeUrl}'", "Correct the options of this runtime in containerd's configuration", error);
        }
    }
}
