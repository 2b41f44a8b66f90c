using Google.Protobuf.WellKnownTypes;

namespace Kata.Service;

/// <summary>What an operator gives containerd for this runtime. Both names of the message are in use; other options are other runtimes'.</summary>
internal static class RuntimeOptions
{
    /// <summary>The configuration file that they name, or null.</summary>
    public static string? ConfigPathOf(Any? options) =>
        options is { TypeUrl: "runtimeoptions.v1.Options" or "containerd.runtimeoptions.v1.Options" or "types.containerd.io/runtimeoptions.v1.Options" }
        && Containerd.Protocol.Types.Options.Parser.ParseFrom(options.Value) is { ConfigPath: { Length: > 0 } path }
            ? path
            : null;
}
