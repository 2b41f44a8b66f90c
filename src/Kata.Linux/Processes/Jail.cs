using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// Starts a process that can reach nothing of the host but what it is given: its own mount, network, IPC, UTS and PID namespaces,
/// a root of its own, an unprivileged user, no capability, and no way to get one back.
/// </summary>
/// <remarks>
/// Order matters. (1) Sources are copied as detached mounts while the thread is still in the host's mount namespace: the kernel
/// copies only mounts of the caller's own namespace. (2) The new root is built as root, then entered with pivot_root(2), which
/// unlike chroot(2) leaves nothing of the old one to go back to. (3) Identity goes last but one, as everything before needs
/// privilege. (4) The PID namespace comes last: a thread that has set one for its children cannot start threads any more, and
/// the managed runtime may want to. All of it happens on a thread that then ends; the service itself changes in nothing.
/// </remarks>
internal static class Jail
{
    private const ulong ReadOnly = LibC.MOUNT_ATTR_RDONLY | LibC.MOUNT_ATTR_NOSUID | LibC.MOUNT_ATTR_NODEV;
    private const int LastCapability = 63;
    private static readonly JailDevice s_null = new("/dev/null", 1, 3); // Documentation/admin-guide/devices.txt
    private static readonly JailDevice s_kvm = new(VirtualizationDevices.KvmPath, 10, 232); // misc major, KVM_MINOR: linux/miscdevice.h

    /// <summary>
    /// Starts the child. Every one of <see cref="SpawnOptions.Descriptors"/> 0, 1 and 2 that is missing is <c>/dev/null</c>.
    /// The path of the executable is one inside the jail.
    /// </summary>
    /// <exception cref="LinuxException">The kernel refused a step; nothing is left.</exception>
    public static ChildProcess Start(JailOptions jail, SpawnOptions options)
    {
        using PreparedSpawn spawn = PreparedSpawn.Prepare(options);
        return ChildProcess.Adopt(NamespaceThread.Run(() => Launch(jail, spawn)));
    }

    /// <summary>Sets whether the own root, which is that of a jail, can be written.</summary>
    internal static void RemountRoot(bool readOnly)
    {
        const MountFlags Bare = MountFlags.MS_NOSUID | MountFlags.MS_NOEXEC;
        Mount(null, "/", null, MountFlags.MS_REMOUNT | MountFlags.MS_BIND | Bare | (readOnly ? MountFlags.MS_RDONLY : 0), null);
    }

    private static int Launch(JailOptions jail, PreparedSpawn spawn)
    {
        List<(DetachedMount Mount, string Target, bool IsDirectory)> mounts = [];
        try
        {
            CopySources(jail, mounts);
            LinuxException.ThrowIfNegative(
                LibC.unshare(LibC.CLONE_NEWNS | LibC.CLONE_NEWNET | LibC.CLONE_NEWIPC | LibC.CLONE_NEWUTS),
                "unshare",
                "enter new namespaces");
            BuildRoot(jail, mounts);
        }
        finally
        {
            mounts.ForEach(static item => item.Mount.Dispose());
        }

        EnterRoot(jail);
        Credentials.DropAllOnThread(jail.UserId, jail.GroupId, LastCapability);
        LinuxException.ThrowIfNegative(LibC.prctl(LibC.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(NO_NEW_PRIVS)", "give up new privileges");
        return spawn.Launch();
    }

    private static void CopySources(JailOptions jail, List<(DetachedMount Mount, string Target, bool IsDirectory)> mounts)
    {
        foreach (string path in jail.ReadOnlyPaths)
        {
            if (new FileInfo(path).LinkTarget is not null)
            {
                continue;
            }

            if (Directory.Exists(path))
            {
                mounts.Add((DetachedMount.Of(path, recursive: false), path, true));
            }
            else if (File.Exists(path))
            {
                mounts.Add((DetachedMount.Of(path, recursive: false), path, false));
            }
        }

        foreach ((string name, SafeFileDescriptor file) in jail.Files)
        {
            mounts.Add((DetachedMount.Of(file, recursive: false), "/" + name, FileStatus.Of(file).IsDirectory));
        }
    }

    private static void BuildRoot(JailOptions jail, List<(DetachedMount Mount, string Target, bool IsDirectory)> mounts)
    {
        string root = jail.MountPoint;
        Mount(null, "/", null, MountFlags.MS_REC | MountFlags.MS_PRIVATE, null);
        // No MS_NODEV: the device nodes below are the only ones there will ever be, as the root becomes read-only.
        Mount("jail", root, "tmpfs", MountFlags.MS_NOSUID | MountFlags.MS_NOEXEC, "mode=0755,size=256k,nr_inodes=256");
        foreach ((DetachedMount mount, string target, bool isDirectory) in mounts)
        {
            MakeTarget(root, target, isDirectory);
            mount.SetAttributes(ReadOnly, recursive: false);
            mount.AttachTo(root + target);
        }

        // By the null device QEMU finds out what locks of files it may use.
        JailNodes.Make(root, jail with { Devices = [s_null, .. jail.WithKvm ? (JailDevice[])[s_kvm] : [], .. jail.Devices] });

        // A merged /usr: /lib64 is a link, and the dynamic loader's path goes through it.
        foreach (string name in (ReadOnlySpan<string>)["bin", "lib", "lib64", "sbin"])
        {
            if (new FileInfo("/" + name).LinkTarget is { } link && !Path.Exists($"{root}/{name}"))
            {
                LinuxException.ThrowIfNegative(LibC.symlink(link, $"{root}/{name}"), "symlink", $"make '/{name}' in the jail");
            }
        }
    }

    private static void MakeTarget(string root, string target, bool isDirectory)
    {
        string path = root + target;
        if (isDirectory)
        {
            Directory.CreateDirectory(path);
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using SafeFileDescriptor file = LinuxException.ThrowIfInvalid(
            LibC.open(path, LibC.O_CREAT | LibC.O_WRONLY | LibC.O_CLOEXEC | LibC.O_NOFOLLOW, FileModes.ReadOnly),
            "open",
            $"make '{target}' in the jail");
    }

    private static void EnterRoot(JailOptions jail)
    {
        RootDirectory.Enter(jail.MountPoint);
        RemountRoot(readOnly: true);
        LinuxException.ThrowIfNegative(LibC.unshare(LibC.CLONE_NEWPID), "unshare(NEWPID)", "make a process namespace");
    }

    private static void Mount(string? source, string target, string? type, MountFlags flags, string? data) =>
        LinuxException.ThrowIfNegative(LibC.mount(source, target, type, flags, data), "mount", $"mount '{target}' for the jail");
}
