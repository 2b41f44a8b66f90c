using Kata.Linux;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>Decides what a container's root file system is. Pure.</summary>
internal static class RootPlanner
{
    /// <summary>File systems on disks that the guest mounts, and whether they can be written to.</summary>
    private static readonly Dictionary<string, bool> s_types = new(StringComparer.Ordinal)
    {
        ["ext4"] = true,
        ["xfs"] = true,
        ["erofs"] = false,
        ["squashfs"] = false,
    };

    /// <param name="id">The container.</param>
    /// <param name="directory">Where its root file system is, or is to be mounted, on the host.</param>
    /// <param name="readOnly">Whether the container must not write to it.</param>
    /// <param name="request">What is to be mounted, and for which machine.</param>
    /// <param name="files">The host's files.</param>
    /// <exception cref="InvalidSpecException">What is to be mounted cannot be.</exception>
    public static ContainerRoot Plan(ContainerId id, string directory, bool readOnly, RootRequest request, IHostFiles files)
    {
        if (request is { TakesDisks: true, Mounts: [{ Target.Length: 0 } mount] } && s_types.TryGetValue(mount.Type, out bool writable))
        {
            return PlanBlock(id, mount, writable, files);
        }

        return new SharedRoot(new SharedMount(directory, readOnly) { Mounts = request.Mounts });
    }

    private static BlockRoot PlanBlock(ContainerId id, FileSystemMount mount, bool writable, IHostFiles files)
    {
        HostFileKind kind = mount.Source.StartsWith('/') ? files.KindOf(mount.Source) : HostFileKind.Missing;
        switch (kind)
        {
            case HostFileKind.Missing:
                throw Refusal($"'{mount.Source}' does not exist on the host", "Create it, or correct the path");
            case HostFileKind.RegularFile when !MountOptions.HasLoop(mount.Options):
                throw Refusal(
                    $"'{mount.Source}' is a regular file, and its file system '{mount.Type}' is mounted from a device",
                    "Add the option 'loop', or name a block device");
            case HostFileKind.Directory or HostFileKind.Special:
                throw Refusal(
                    $"'{mount.Source}' is neither a block device nor an image with the file system '{mount.Type}'",
                    "Name the device or the image");
        }

        string[] options = [.. MountOptions.WithoutLoop(mount.Options)];
        bool readOnly = !writable || kind == HostFileKind.ReadOnlyBlockDevice
            || (MountOptions.Parse(options).Flags & MountFlags.MS_RDONLY) != 0;
        return new BlockRoot(id, mount.Source, mount.Type, readOnly, options);
    }

    private static InvalidSpecException Refusal(string cause, string remedy) => new("/rootfs/0/source", cause, remedy);
}
