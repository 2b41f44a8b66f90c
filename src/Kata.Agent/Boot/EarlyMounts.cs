using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Boot;

/// <summary>The file systems every Linux guest needs, and the guest's cgroup tree.</summary>
internal static class EarlyMounts
{
    /// <summary>Root of the unified hierarchy.</summary>
    public const string CgroupRoot = "/sys/fs/cgroup";

    private static readonly (string Type, string Target, MountFlags Flags, string? Data)[] s_mounts =
    [
        ("proc", "/proc", MountFlags.MS_NOSUID | MountFlags.MS_NODEV | MountFlags.MS_NOEXEC, null),
        ("sysfs", "/sys", MountFlags.MS_NOSUID | MountFlags.MS_NODEV | MountFlags.MS_NOEXEC, null),
        ("devtmpfs", "/dev", MountFlags.MS_NOSUID, "mode=0755"),
        ("devpts", "/dev/pts", MountFlags.MS_NOSUID | MountFlags.MS_NOEXEC, "gid=5,mode=0620,ptmxmode=0666"),
        ("tmpfs", "/dev/shm", MountFlags.MS_NOSUID | MountFlags.MS_NODEV, "mode=1777"),
        ("tmpfs", "/run", MountFlags.MS_NOSUID | MountFlags.MS_NODEV, "mode=0755"),
        ("tmpfs", "/tmp", MountFlags.MS_NOSUID | MountFlags.MS_NODEV, "mode=1777"),
        ("cgroup2", CgroupRoot, MountFlags.MS_NOSUID | MountFlags.MS_NODEV | MountFlags.MS_NOEXEC, "nsdelegate"),
    ];

    public static void MountAll()
    {
        foreach ((string type, string target, MountFlags flags, string? data) in s_mounts)
        {
            _ = LibC.mkdir(target, FileModes.ReadableDirectory); // there already is as good
            if (LibC.mount(type, target, type, flags, data) < 0)
            {
                LinuxException error = LinuxException.FromLastErrno("mount", $"mount '{type}' on '{target}'");
                if (error.Errno != Errno.EBUSY) // the kernel mounted devtmpfs itself
                {
                    throw error;
                }
            }
        }

        Link("/proc/self/fd", "/dev/fd");
        Link("/proc/self/fd/0", "/dev/stdin");
        Link("/proc/self/fd/1", "/dev/stdout");
        Link("/proc/self/fd/2", "/dev/stderr");
    }

    /// <summary>
    /// Moves the agent into a leaf of its own, so that its use is accounted apart, and hands every controller down to the containers.
    /// </summary>
    public static void PrepareCgroups()
    {
        string agent = $"{CgroupRoot}/agent";
        _ = LibC.mkdir(agent, 0x1ED);
        File.WriteAllText($"{agent}/cgroup.procs", "0");
        EnableControllers(CgroupRoot);
        _ = LibC.mkdir($"{CgroupRoot}/kata", 0x1ED);
        EnableControllers($"{CgroupRoot}/kata");
    }

    private static void EnableControllers(string cgroup)
    {
        string[] controllers = File.ReadAllText($"{cgroup}/cgroup.controllers").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        File.WriteAllText($"{cgroup}/cgroup.subtree_control", string.Join(' ', controllers.Select(static name => '+' + name)));
    }

    private static void Link(string target, string path)
    {
        if (!Path.Exists(path))
        {
            File.CreateSymbolicLink(path, target);
        }
    }
}
