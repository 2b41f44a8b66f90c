using System.Globalization;
using Kata.Agent.Protocol.Extension;
using Kata.Linux;
using Kata.Oci;
using GuestMount = Kata.Agent.Protocol.Oci.Mount;
using Spec = Kata.Agent.Protocol.Oci.Spec;

namespace Kata.Sandbox;

/// <summary>
/// Turns a bundle into a <see cref="ContainerPlan"/>. Pure: what it must know of the host's files is asked through
/// <see cref="IHostFiles"/>. What cannot be done in a VM is refused here, before anything exists.
/// </summary>
internal static class ContainerPlanner
{
    /// <summary>Mount types the guest's kernel serves itself.</summary>
    private static readonly HashSet<string> s_guestTypes = new(StringComparer.Ordinal)
    {
        "proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2", "devtmpfs", "ramfs", "debugfs", "tracefs", "securityfs",
    };

    /// <param name="id">The container.</param>
    /// <param name="bundle">Its validated bundle.</param>
    /// <param name="guestSeccomp">Whether the seccomp profile goes to the guest (<c>disable_guest_seccomp</c> is false).</param>
    /// <param name="files">The host's files.</param>
    /// <param name="ownerOf">The container of the same pod that has a namespace which is named by its path, or null.</param>
    /// <param name="sharedMemory">The pod's, or null when it has none, or is not known.</param>
    /// <param name="guestFiles">Files of the pod that only the guest has; none by default.</param>
    /// <param name="isGuestPath">
    /// Whether a path is one of the guest's, on a storage of the pod, and not one of the host's; none is by default.
    /// </param>
    /// <param name="notifyPath">
    /// The host's socket for notifications of the container, when its caller has one; an engine's own goes before it.
    /// </param>
    /// <param name="rootFs">What its root file system is to be; the bundle's directory by default.</param>
    /// <exception cref="InvalidSpecException">The specification asks for something a VM cannot give.</exception>
    public static ContainerPlan Plan(
        ContainerId id, Bundle bundle, bool guestSeccomp, IHostFiles files, Func<LinuxNamespace, ContainerId?> ownerOf,
        SharedMemory? sharedMemory = null, IReadOnlyList<GuestFile>? guestFiles = null, string? notifyPath = null,
        Func<string, bool>? isGuestPath = null, RootRequest? rootFs = null)
    {
        guestFiles ??= [];
        RuntimeSpec spec = bundle.Spec;
        var warnings = new List<string>();
        UnsupportedFields.Check(spec, warnings);
        CheckHeldNamespaces(spec, files, warnings);
        IReadOnlyList<MountSpec> wanted = spec.Mounts ?? [];
        var mounted = NotifySocket.Of(bundle, files);
        NotifySocket? notify = mounted ?? (notifyPath is not null && spec.Process is not null ? NotifySocket.Default(notifyPath) : null);
        var mounts = new List<PlannedMount>(wanted.Select((mount, index) => mounted?.Directory == mount.Destination.TrimEnd('/')
            ? OfGuest(mount, "bind", GuestPaths.Notify(id))
            : PlanMount(bundle, index, mount, files, sharedMemory, guestFiles, isGuestPath ?? (static _ => false))));
        bool readOnly = spec.Root?.Readonly ?? false;
        ContainerRoot root = RootPlanner.Plan(id, bundle.RootfsPath, readOnly, rootFs ?? RootRequest.OfBundle, files);
        if (!root.TakesNodes && !wanted.Any(static mount => "/" + mount.Destination.Trim('/') == "/dev"))
        {
            // Its nodes are made in the root file system elsewhere, before that becomes read-only. This one is from the beginning.
            string[] options = ["nosuid", "strictatime", "mode=755", "size=65536k", "ro"];
            mounts.Insert(0, OfGuest(new MountSpec { Destination = "/dev", Options = options }, "tmpfs", "tmpfs"));
        }

        if (notify is not null && mounted is null)
        {
            string[] options = ["bind", "nosuid", "noexec", "nodev", "ro"];
            mounts.Add(OfGuest(new MountSpec { Destination = notify.Directory, Options = options }, "bind", GuestPaths.Notify(id)));
        }

        Spec guestSpec = GuestSpecBuilder.Build(id, spec, guestSeccomp, files.HostName, warnings);
        ContainerExtension extension = GuestExtensionBuilder.Container(spec, bundle.Directory, ownerOf);
        if (notify is not null)
        {
            extension.NotifySocket = notify.InGuest(id);
            guestSpec.Process.Env.Add(notify.ToVariable());
        }

        return new ContainerPlan
        {
            Id = id,
            Bundle = bundle,
            Root = root,
            Mounts = mounts,
            GuestSpec = guestSpec,
            Extension = extension,
            Notify = notify,
            Warnings = warnings,
        };
    }

    // A pod that is to be in one of the host's comes with a file that holds that one.
    private static void CheckHeldNamespaces(RuntimeSpec spec, IHostFiles files, List<string> warnings)
    {
        for (int i = 0; i < (spec.Linux?.Namespaces?.Count ?? 0); i++)
        {
            LinuxNamespace space = spec.Linux!.Namespaces![i];
            if (!PodNamespaces.IsHeldForPod(spec, space))
            {
                continue;
            }

            ulong number = files.NamespaceAt(space.Path!) ?? throw new InvalidSpecException(
                $"/linux/namespaces/{i.ToString(CultureInfo.InvariantCulture)}/path",
                $"'{space.Path}' does not exist or holds no namespace",
                "Remove the path, or name a file that an engine made for the pod");
            if (number == files.NamespaceAt($"/proc/self/ns/{space.Type}"))
            {
                warnings.Add(
                    $"The pod asks for the host's {space.Type} namespace and has one of its own, in the guest: "
                    + "the host's is another kernel's");
            }
        }
    }

    private static PlannedMount PlanMount(
        Bundle bundle, int index, MountSpec mount, IHostFiles files, SharedMemory? sharedMemory, IReadOnlyList<GuestFile> guestFiles,
        Func<string, bool> isGuestPath)
    {
        IReadOnlyList<string> options = mount.Options ?? [];
        if (!IsBind(mount))
        {
            string type = mount.Type ?? "";
            return type == "overlay" ? PlanOverlay(bundle, mount)
                : s_guestTypes.Contains(type) ? OfGuest(mount, type, mount.Source ?? type)
                : throw new InvalidSpecException(
                    $"/mounts/{index}/type", $"'{type}' is not a file system that the guest mounts itself",
                    $"Use a bind mount, or one of {string.Join(", ", s_guestTypes.Append("overlay").Order(StringComparer.Ordinal))}");
        }

        string source = mount.Source is { Length: > 0 } given
            ? Path.GetFullPath(given, bundle.Directory)
            : throw new InvalidSpecException($"/mounts/{index}/source", "a bind mount has no source", "Name a host file or directory");
        if (isGuestPath(source))
        {
            return OfGuest(mount, "bind", source);
        }

        if (source == sharedMemory?.Source)
        {
            return OfGuest(mount, "bind", GuestPaths.SharedMemory);
        }

        if (guestFiles.FirstOrDefault(file => file.Source == source) is { } guestFile)
        {
            return OfGuest(mount, "bind", guestFile.Path) with { IsDirectory = false };
        }

        if (source == SharedMemory.Destination || mount.Destination.TrimEnd('/') == SharedMemory.Destination)
        {
            // The host's shared memory means nothing in another kernel: the container gets the guest's own.
            return OfGuest(mount with { Options = SharedMemory.At(source, files).Options }, "tmpfs", "shm");
        }

        return files.KindOf(source) switch
        {
            HostFileKind.Missing => throw new InvalidSpecException(
                $"/mounts/{index}/source", $"'{source}' does not exist on the host", "Create it, or remove the mount"),
            HostFileKind.Special or HostFileKind.BlockDevice or HostFileKind.ReadOnlyBlockDevice => throw new InvalidSpecException(
                $"/mounts/{index}/source", $"'{source}' is a socket, fifo or device, which has no meaning in another kernel",
                "Give a file or a directory; devices and sockets cannot be shared with a VM"),
            _ => OfGuest(mount, "bind", "") with
            {
                Shared = new SharedMount(source, IsReadOnly(options))
                {
                    Recursive = options.Contains("rbind") || !options.Contains("bind"),
                    IdMap = MountIdMapping.Of(bundle.Spec, index),
                    MapsBelow = options.Any(static option => option == "ridmap" || option.StartsWith("ridmap=", StringComparison.Ordinal)),
                    Propagates = options.Any(static option => option is "slave" or "rslave" or "shared" or "rshared"),
                },
            },
        };
    }

    // Its layers are the host's: it is mounted there, where nothing else is in its way, and shared like a volume.
    private static PlannedMount PlanOverlay(Bundle bundle, MountSpec mount)
    {
        IReadOnlyList<string> options = mount.Options ?? [];
        string[] flags = [.. options.Where(SupportedFeatures.MountOptions.Contains)]; // the rest is overlay's own
        bool readOnly = IsReadOnly(options) || !options.Any(static option => option.StartsWith("upperdir=", StringComparison.Ordinal));
        return OfGuest(mount with { Options = ["bind", .. flags] }, "bind", "") with
        {
            Shared = new SharedMount(bundle.Directory, readOnly)
            {
                Recursive = false,
                Mounts = [new FileSystemMount("overlay", mount.Source ?? "overlay", "", [.. options.Except(flags)])],
            },
        };
    }

    /// <summary>Whether a mount is one of a file or directory of the host.</summary>
    internal static bool IsBind(MountSpec mount) =>
        mount.Type is "bind" || (mount.Options ?? []).Any(static option => option is "bind" or "rbind");

    private static bool IsReadOnly(IReadOnlyList<string> options) => options.Any(static option => option is "ro" or "rro");

    private static PlannedMount OfGuest(MountSpec mount, string type, string source)
    {
        var result = new GuestMount { Destination = mount.Destination, Type = type, Source = source };
        result.Options.AddRange((mount.Options ?? []).Where(static option => !MountIdMapping.IsOption(option)));
        return new PlannedMount(result, IsDirectory: true, Shared: null);
    }
}
