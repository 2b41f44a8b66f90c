using System.Globalization;
using Kata.Agent.Protocol;
using Kata.Oci;
using GuestMount = Kata.Agent.Protocol.Oci.Mount;

namespace Kata.Sandbox;

/// <summary>
/// Turns a bundle into a <see cref="ContainerPlan"/>. Pure: what it must know of the host's files is asked through
/// <see cref="IHostFiles"/>. What cannot be done in a VM is refused here, before anything exists.
/// </summary>
internal static class ContainerPlanner
{
    /// <summary>Mount types the guest's kernel serves itself.</summary>
    private static readonly HashSet<string> s_guestTypes =
        new(StringComparer.Ordinal) { "proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2", "devtmpfs", "ramfs", "debugfs", "tracefs", "securityfs" };

    /// <param name="id">The container.</param>
    /// <param name="bundle">Its validated bundle.</param>
    /// <param name="guestSeccomp">Whether the seccomp profile goes to the guest (<c>disable_guest_seccomp</c> is false).</param>
    /// <param name="files">The host's files.</param>
    /// <param name="containerOf">The container of the same pod that a process id of the host stands for, or null.</param>
    /// <param name="sharedMemory">The pod's, or null when it has none, or is not known.</param>
    /// <param name="guestFiles">Files of the pod that only the guest has; none by default.</param>
    /// <exception cref="InvalidSpecException">The specification asks for something a VM cannot give.</exception>
    public static ContainerPlan Plan(
        ContainerId id, Bundle bundle, bool guestSeccomp, IHostFiles files, Func<int, ContainerId?> containerOf, SharedMemory? sharedMemory = null,
        IReadOnlyList<GuestFile>? guestFiles = null)
    {
        guestFiles ??= [];
        RuntimeSpec spec = bundle.Spec;
        var warnings = new List<string>();
        UnsupportedFields.Check(spec, warnings);
        var shared = new List<SharedMount> { new(bundle.RootfsPath, GuestPaths.RootFs(id), spec.Root?.Readonly ?? false) };
        var mounts = new List<GuestMount>();
        IReadOnlyList<MountSpec> wanted = spec.Mounts ?? [];
        for (int i = 0; i < wanted.Count; i++)
        {
            if (PlanMount(id, bundle, i, wanted[i], files, sharedMemory, guestFiles, shared) is { } mount)
            {
                mounts.Add(mount);
            }
        }

        if (spec.Root?.Readonly ?? false)
        {
            shared[0] = shared[0] with
            {
                MountPoints = MountPoint.InRootFs(mounts.Select(mount => (mount.Destination, mount.Type != "bind" || !IsFile(bundle, wanted, mount.Destination, files, guestFiles)))),
            };
        }

        return new ContainerPlan
        {
            Id = id,
            Bundle = bundle,
            SharedMounts = shared,
            GuestSpec = GuestSpecBuilder.Build(id, spec, mounts, guestSeccomp, warnings),
            Extension = GuestExtensionBuilder.Container(spec, bundle.Directory, containerOf),
            User = NamedUser(spec.Process?.User),
            Warnings = warnings,
        };
    }

    /// <summary>The user of a process as the agent's string form, when it is a name.</summary>
    public static StringUser? NamedUser(UserSpec? user)
    {
        if (string.IsNullOrEmpty(user?.Username))
        {
            return null;
        }

        // NAME or NAME:GROUP, as exec --user takes it; numbers pass through, the agent tells them apart.
        string[] parts = user.Username.Split(':', 2);
        var named = new StringUser { Uid = parts[0], Gid = parts.Length > 1 ? parts[1] : "" };
        named.AdditionalGids.AddRange((user.AdditionalGids ?? []).Select(static gid => gid.ToString(CultureInfo.InvariantCulture)));
        return named;
    }

    private static GuestMount? PlanMount(
        ContainerId id, Bundle bundle, int index, MountSpec mount, IHostFiles files, SharedMemory? sharedMemory, IReadOnlyList<GuestFile> guestFiles,
        List<SharedMount> shared)
    {
        IReadOnlyList<string> options = mount.Options ?? [];
        if (!IsBind(mount))
        {
            string type = mount.Type ?? "";
            return s_guestTypes.Contains(type)
                ? ToGuest(mount, type, mount.Source ?? type)
                : throw new InvalidSpecException(
                    $"/mounts/{index}/type", $"'{type}' is not a file system that the guest mounts itself",
                    $"Use a bind mount, or one of {string.Join(", ", s_guestTypes.Order(StringComparer.Ordinal))}");
        }

        string source = mount.Source is { Length: > 0 } given
            ? Path.GetFullPath(given, bundle.Directory)
            : throw new InvalidSpecException($"/mounts/{index}/source", "a bind mount has no source", "Name a host file or directory");
        if (source == sharedMemory?.Source)
        {
            return ToGuest(mount, "bind", GuestPaths.SharedMemory);
        }

        if (guestFiles.FirstOrDefault(file => file.Source == source) is { } guestFile)
        {
            return ToGuest(mount, "bind", guestFile.Path);
        }

        if (source == SharedMemory.Destination || mount.Destination.TrimEnd('/') == SharedMemory.Destination)
        {
            // The host's shared memory means nothing in another kernel: the container gets the guest's own.
            return ToGuest(mount with { Options = SharedMemory.At(source, files).Options }, "tmpfs", "shm");
        }

        HostFileKind kind = files.KindOf(source);
        switch (kind)
        {
            case HostFileKind.Missing:
                throw new InvalidSpecException($"/mounts/{index}/source", $"'{source}' does not exist on the host", "Create it, or remove the mount");
            case HostFileKind.Special:
                throw new InvalidSpecException(
                    $"/mounts/{index}/source", $"'{source}' is a socket, fifo or device, which has no meaning in another kernel",
                    "Give a file or a directory; devices and sockets cannot be shared with a VM");
            default:
                bool readOnly = options.Contains("ro") || options.Contains("rro");
                string target = GuestPaths.Mount(id, index);
                shared.Add(new SharedMount(source, target, readOnly));
                return ToGuest(mount, "bind", GuestPaths.InGuest(target));
        }
    }

    /// <summary>Whether a mount is one of a file or directory of the host.</summary>
    internal static bool IsBind(MountSpec mount) =>
        mount.Type is "bind" || (mount.Options ?? []).Any(static option => option is "bind" or "rbind");

    private static bool IsFile(Bundle bundle, IReadOnlyList<MountSpec> wanted, string destination, IHostFiles files, IReadOnlyList<GuestFile> guestFiles) =>
        wanted.Last(mount => mount.Destination == destination).Source is { } source
        && (guestFiles.Any(file => file.Source == source) || files.KindOf(Path.GetFullPath(source, bundle.Directory)) == HostFileKind.RegularFile);

    private static GuestMount ToGuest(MountSpec mount, string type, string source)
    {
        var result = new GuestMount { Destination = mount.Destination, Type = type, Source = source };
        result.Options.AddRange(mount.Options ?? []);
        return result;
    }
}
