using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Storage;

/// <summary>Mounts what the host names, by driver. The host is trusted: mount points are taken as given, below /run only.</summary>
internal static class StorageMounter
{
    /// <summary>The driver names <see cref="Mount"/> knows, as the guest's details offer them.</summary>
    public static readonly string[] Drivers = ["virtio-fs", "9p", "ephemeral", "local", "bind", "overlayfs"];

    private const string AllowedRoot = "/run/";
    private const uint SharedMode = FileModes.GroupDirectory; // new files get the directory's group

    /// <summary>Mounts one storage and returns its mount point when it must be unmounted later, null when nothing was mounted.</summary>
    /// <exception cref="Grpc.Core.RpcException">Unimplemented: another driver. InvalidArgument: a mount point elsewhere.</exception>
    public static string? Mount(Protocol.Storage storage)
    {
        string target = storage.MountPoint;
        if (!target.StartsWith(AllowedRoot, StringComparison.Ordinal) || target.Split('/').Contains(".."))
        {
            throw AgentException.Invalid($"Cannot mount the storage '{storage.Source}' on '{target}': it is not below '{AllowedRoot}'");
        }

        switch (storage.Driver)
        {
            case "virtio-fs":
                return MountAt(storage.Source, target, "virtiofs", storage.Options);
            case "9p":
                return MountAt(storage.Source, target, "9p", storage.Options);
            case "overlayfs":
                return MountAt("overlay", target, "overlay", storage.Options);
            case "ephemeral" when storage.Fstype is "hugetlbfs":
                throw AgentException.Missing("Cannot mount the storage: huge pages are not supported by this agent yet");
            case "ephemeral":
                string? mounted = MountAt("tmpfs", target, "tmpfs", storage.Options);
                SetGroup(storage, target);
                return mounted;
            case "bind":
                return MountAt(storage.Source, target, storage.Fstype, [.. storage.Options, "bind"]);
            case "local":
                MakeDirectory(target);
                string? mode = storage.Options.FirstOrDefault(static option => option.StartsWith("mode=", StringComparison.Ordinal));
                SetMode(target, Convert.ToUInt32(mode?["mode=".Length..] ?? "0777", 8));
                SetGroup(storage, target);
                return null;
            default:
                throw AgentException.Missing(
                    $"Cannot mount the storage '{storage.Source}': this agent has no driver '{storage.Driver}'. It has {string.Join(", ", Drivers)}");
        }
    }

    /// <summary>Detaches a mount; false when the kernel refused.</summary>
    public static bool Unmount(string target) => LibC.umount2(target, LibC.MNT_DETACH | LibC.UMOUNT_NOFOLLOW) == 0;

    private static string MountAt(string source, string target, string type, IEnumerable<string> options)
    {
        MakeDirectory(target);
        (MountFlags flags, string? data) = MountOptions.Parse(options);
        Mounting.At(source, target, type, flags, data);
        return target;
    }

    private static void MakeDirectory(string path) => Directory.CreateDirectory(path);

    private static void SetGroup(Protocol.Storage storage, string target)
    {
        if (storage.FsGroup is { } group)
        {
            LinuxException.ThrowIfNegative(LibC.chown(target, uint.MaxValue, group.GroupId), "chown", $"give '{target}' to the group {group.GroupId}");
            SetMode(target, SharedMode);
        }
    }

    private static void SetMode(string path, uint mode) =>
        LinuxException.ThrowIfNegative(LibC.chmod(path, mode & 0xFFF), "chmod", $"set the mode of '{path}'");
}
