namespace Kata.Linux;

/// <summary>Makes the directories of control groups so that each can hold processes and limits (cgroups(7), cpuset(7)).</summary>
internal static class CgroupDirectories
{
    private const string ChildControllers = "cgroup.subtree_control";

    /// <summary>Another pod's end may remove a parent between our making it and using it.</summary>
    private const int Attempts = 5;

    /// <summary>Version 1: a group of this controller takes no process until both are set.</summary>
    private static readonly string[] s_cpusetFiles = ["cpuset.cpus", "cpuset.mems"];

    /// <summary>Version 2: what our limits need, and what engines read.</summary>
    private static readonly string[] s_wanted = ["cpuset", "cpu", "io", "memory", "pids"];

    /// <summary>Makes <paramref name="directory"/> and those above it, up to the mount point of its hierarchy.</summary>
    public static void Make(CgroupHierarchy hierarchy, string directory)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                MakeEach(hierarchy, directory);
                return;
            }
            catch (Exception error) when (error is DirectoryNotFoundException or FileNotFoundException && attempt < Attempts)
            {
                // Once more from the top.
            }
        }
    }

    /// <summary>Version 2: the controllers that a group has.</summary>
    public static string[] ControllersOf(string directory) => Words(Path.Combine(directory, "cgroup.controllers"));

    private static void MakeEach(CgroupHierarchy hierarchy, string directory)
    {
        string parent = hierarchy.MountPoint;
        foreach (string name in directory[(hierarchy.MountPoint.Length + 1)..].Split('/'))
        {
            if (hierarchy.IsUnified)
            {
                Delegate(parent);
            }

            string group = $"{parent}/{name}";
            Directory.CreateDirectory(group);
            if (hierarchy.Controllers.Contains("cpuset"))
            {
                Inherit(parent, group);
            }

            parent = group;
        }
    }

    // One by one: a controller that the parent lacks must not keep the others away. A parent with processes of its own refuses all;
    // the limits that are missing then are named when they are asked for.
    private static void Delegate(string parent)
    {
        string[] available = ControllersOf(parent);
        string[] enabled = Words(Path.Combine(parent, ChildControllers));
        foreach (string controller in s_wanted.Intersect(available).Except(enabled))
        {
            try
            {
                File.WriteAllText(Path.Combine(parent, ChildControllers), $"+{controller}");
            }
            catch (Exception error)
                when (error is IOException and not (DirectoryNotFoundException or FileNotFoundException) or UnauthorizedAccessException)
            {
                // See above.
            }
        }
    }

    private static void Inherit(string parent, string group)
    {
        foreach (string file in s_cpusetFiles)
        {
            if (Words(Path.Combine(group, file)).Length == 0)
            {
                File.WriteAllText(Path.Combine(group, file), File.ReadAllText(Path.Combine(parent, file)).TrimEnd());
            }
        }
    }

    private static string[] Words(string path) =>
        File.Exists(path) ? File.ReadAllText(path).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) : [];
}
