namespace Kata.Linux;

/// <summary>Splits mount options as fstab(5) writes them into mount(2)'s flags and the file system's own data.</summary>
internal static class MountOptions
{
    private static readonly Dictionary<string, (bool Clear, MountFlags Flag)> s_flags = new(StringComparer.Ordinal)
    {
        ["ro"] = (false, MountFlags.MS_RDONLY),
        ["rw"] = (true, MountFlags.MS_RDONLY),
        ["nosuid"] = (false, MountFlags.MS_NOSUID),
        ["suid"] = (true, MountFlags.MS_NOSUID),
        ["nodev"] = (false, MountFlags.MS_NODEV),
        ["dev"] = (true, MountFlags.MS_NODEV),
        ["noexec"] = (false, MountFlags.MS_NOEXEC),
        ["exec"] = (true, MountFlags.MS_NOEXEC),
        ["sync"] = (false, MountFlags.MS_SYNCHRONOUS),
        ["async"] = (true, MountFlags.MS_SYNCHRONOUS),
        ["dirsync"] = (false, MountFlags.MS_DIRSYNC),
        ["noatime"] = (false, MountFlags.MS_NOATIME),
        ["atime"] = (true, MountFlags.MS_NOATIME),
        ["nodiratime"] = (false, MountFlags.MS_NODIRATIME),
        ["relatime"] = (false, MountFlags.MS_RELATIME),
        ["strictatime"] = (false, MountFlags.MS_STRICTATIME),
        ["bind"] = (false, MountFlags.MS_BIND),
        ["rbind"] = (false, MountFlags.MS_BIND | MountFlags.MS_REC),
        ["defaults"] = (false, MountFlags.None),
    };

    /// <summary>The one of mount(8), and of containerd, that mounts a regular file: the kernel has no such option.</summary>
    private const string Loop = "loop";

    /// <summary>Whether a regular file is to be mounted.</summary>
    public static bool HasLoop(IEnumerable<string> options) => Split(options).Contains(Loop);

    /// <summary>The others, one each.</summary>
    public static IEnumerable<string> WithoutLoop(IEnumerable<string> options) => Split(options).Where(static option => option != Loop);

    public static (MountFlags Flags, string? Data) Parse(IEnumerable<string> options)
    {
        MountFlags flags = MountFlags.None;
        var data = new List<string>();
        foreach (string option in Split(options))
        {
            if (!s_flags.TryGetValue(option, out (bool Clear, MountFlags Flag) known))
            {
                data.Add(option);
            }
            else
            {
                flags = known.Clear ? flags & ~known.Flag : flags | known.Flag;
            }
        }

        return (flags, data.Count > 0 ? string.Join(',', data) : null);
    }

    private static IEnumerable<string> Split(IEnumerable<string> options) =>
        options.SelectMany(static item => item.Split(',', StringSplitOptions.RemoveEmptyEntries));
}
