using Kata.Linux;
using Kata.Oci;
using Kata.Sandbox;

namespace Kata.Runtime.Shim;

/// <summary>Where a shim's things are.</summary>
internal static class ShimPaths
{
    /// <summary>Where containerd's shims have their sockets, whatever its own state directory is.</summary>
    private const string SocketRoot = "/run/containerd/s";

    /// <summary>In the bundle: where containerd finds the shim again after a restart.</summary>
    public const string AddressFile = "address";

    /// <inheritdoc cref="AddressFile"/>
    public const string PidFile = "shim.pid";

    /// <summary>In the bundle: a fifo that containerd reads records from.</summary>
    public const string LogFile = "log";

    /// <summary>A name that depends on containerd, namespace and pod only, so that every container of a pod comes to the same.</summary>
    public static string Socket(ShimOptions options, SandboxId sandbox)
    {
        string name = Path.Combine(options.Address, options.Namespace, sandbox.Value);
        return Path.Combine(SocketRoot, Sha256.HexOf(name));
    }

    /// <summary>The state of a namespace's pods. '@' cannot begin an id, so the pods of the command line and these never meet.</summary>
    public static SandboxDirectories Directories(string containerdNamespace) =>
        new(Path.Combine(SandboxDirectories.DefaultRoot, $"@{ContainerId.Parse(containerdNamespace).Value}"));
}
