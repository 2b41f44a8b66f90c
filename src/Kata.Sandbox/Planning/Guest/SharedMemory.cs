using System.Globalization;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// A pod's <c>/dev/shm</c>: memory of the guest that stands for what an engine mounts there in the first container. Containers that
/// the engine gives the same share it; one that it gives another, or none, has its own.
/// </summary>
/// <param name="Source">What the engine mounts: an absolute path of the host, which never reaches the guest.</param>
/// <param name="Size">Bytes it may hold, or null for the guest's default, half of its memory.</param>
internal sealed record SharedMemory(string Source, long? Size)
{
    /// <summary>Where containers expect it.</summary>
    public const string Destination = "/dev/shm";

    private static readonly string[] s_options = ["nosuid", "nodev", "noexec", "mode=1777"];

    /// <summary>What the first container of a pod is given, or null when the engine mounts nothing of the host there.</summary>
    public static SharedMemory? Of(Bundle bundle, IHostFiles files) =>
        (bundle.Spec.Mounts ?? []).LastOrDefault(static mount => mount.Destination.TrimEnd('/') == Destination)
            is { Source: { Length: > 0 } source } mount && ContainerPlanner.IsBind(mount)
            ? At(Path.GetFullPath(source, bundle.Directory), files)
            : null;

    /// <summary>
    /// The same of one mount. An engine says how much by the size of what it mounts; the host's own says nothing about the guest.
    /// </summary>
    public static SharedMemory At(string source, IHostFiles files) => new(source, source == Destination ? null : files.TmpfsSize(source));

    /// <summary>The mount options of the memory itself.</summary>
    public IReadOnlyList<string> Options =>
        Size is { } bytes ? [.. s_options, string.Create(CultureInfo.InvariantCulture, $"size={bytes}")] : s_options;

    /// <summary>The order to the agent to make it when the pod begins.</summary>
    public Agent.Protocol.Storage ToStorage() =>
        new() { Driver = "ephemeral", Source = "shm", Fstype = "tmpfs", MountPoint = GuestPaths.SharedMemory, Options = { Options } };
}
