namespace Kata.Linux;

/// <summary>
/// Which control group hierarchies a host has: version 2 alone, version 1, both side by side, or none. Read from
/// <c>/proc/self/mountinfo</c> and <c>/proc/self/cgroup</c> (proc(5), cgroups(7)); parsing is pure and never throws.
/// </summary>
internal sealed record CgroupLayout(IReadOnlyList<CgroupHierarchy> Hierarchies)
{
    /// <summary>
    /// The hierarchies that can hold a pod's processes together, best first: version 2, then a version 1 controller that limits
    /// nothing by itself.
    /// </summary>
    public IEnumerable<CgroupHierarchy> ForTracking =>
        Hierarchies.Where(static item => item.IsUnified)
            .Concat(Hierarchies.Where(static item => item.Controllers.Contains("pids")))
            .Concat(Hierarchies.Where(static item => item.Controllers.Contains("name=systemd")));

    /// <summary>Whether version 2 is all that the host has, by containerd's and systemd's rule: where it is mounted.</summary>
    public bool IsUnified => Hierarchies.Any(static item => item is { IsUnified: true, MountPoint: "/sys/fs/cgroup" });

    public static CgroupLayout Read()
    {
        try
        {
            return Parse(File.ReadLines("/proc/self/mountinfo"), File.ReadLines("/proc/self/cgroup"));
        }
        catch (IOException)
        {
            return new CgroupLayout([]);
        }
    }

    public static CgroupLayout Parse(IEnumerable<string> mountInfo, IEnumerable<string> ownCgroups)
    {
        Dictionary<string, string> paths = ParseOwn(ownCgroups);
        var hierarchies = new List<CgroupHierarchy>();
        foreach (string line in mountInfo)
        {
            // 36 35 98:0 /root /mount/point options [optional fields] - type source superoptions
            string[] halves = line.Split(" - ", 2);
            string[] fields = halves[0].Split(' ');
            string[] tail = halves.Length == 2 ? halves[1].Split(' ') : [];
            if (fields.Length < 6 || tail.Length < 3 || tail[0] is not ("cgroup" or "cgroup2"))
            {
                continue;
            }

            bool unified = tail[0] == "cgroup2";
            string[] controllers = unified
                ? []
                : [.. tail[2].Split(',').Where(static option => option is not ("rw" or "ro" or "xattr" or "noprefix" or "clone_children"))];
            string own = paths.GetValueOrDefault(unified ? "" : controllers.FirstOrDefault(paths.ContainsKey, "?"), "/");
            string mountPoint = MountInfo.Unescape(fields[4]);
            hierarchies.Add(
                new CgroupHierarchy(mountPoint, unified, controllers, DirectoryOf(mountPoint, MountInfo.Unescape(fields[3]), own)));
        }

        return new CgroupLayout(hierarchies);
    }

    // "0::/path" is version 2; "4:cpu,cpuacct:/path" and "1:name=systemd:/path" are version 1.
    private static Dictionary<string, string> ParseOwn(IEnumerable<string> lines)
    {
        var paths = new Dictionary<string, string>();
        foreach (string line in lines)
        {
            string[] parts = line.Split(':', 3);
            if (parts.Length == 3 && parts[2].StartsWith('/'))
            {
                foreach (string controller in parts[1].Split(','))
                {
                    paths[controller] = parts[2];
                }
            }
        }

        return paths;
    }

    // A container sees a part of the hierarchy: the mount's root is then the upper part of the process's path.
    private static string DirectoryOf(string mountPoint, string root, string own)
    {
        string relative = root != "/" && (own == root || own.StartsWith(root + "/", StringComparison.Ordinal)) ? own[root.Length..] : own;
        return relative is "" or "/" || relative.Contains("/..", StringComparison.Ordinal) ? mountPoint : mountPoint + relative;
    }
}
