namespace Kata.Integration.Tests.Harness;

/// <summary>A root file system with busybox and nothing else.</summary>
internal static class RootFileSystem
{
    // Not 'busybox': a link over the binary would leave nothing to link to.
    private static readonly string[] s_applets =
    [
        "cat", "cut", "date", "dd", "df", "echo", "env", "false", "free", "grep", "head", "hostname", "id", "kill", "ls", "mkdir", "mknod",
        "mount", "nproc", "od", "printf", "ps", "pwd", "rm", "sed", "seq", "sh", "sha256sum", "sleep", "sort", "stat", "stty", "sync",
        "tail", "tee", "touch", "tr", "true", "tty", "uname", "wc", "yes",
    ];

    /// <summary>Where Debian's busybox-static is, or null.</summary>
    public static string? Busybox { get; } = new[] { "/usr/bin/busybox", "/bin/busybox" }.FirstOrDefault(File.Exists);

    public static string Create(string directory)
    {
        foreach (string name in new[] { "bin", "proc", "sys", "dev", "tmp", "etc", "root", "home", "mnt" })
        {
            Directory.CreateDirectory(Path.Combine(directory, name));
        }

        File.Copy(Busybox!, Path.Combine(directory, "bin/busybox"));
        foreach (string applet in s_applets)
        {
            File.CreateSymbolicLink(Path.Combine(directory, "bin", applet), "busybox");
        }

        File.WriteAllText(Path.Combine(directory, "etc/passwd"), "root:x:0:0::/root:/bin/sh\nweb:x:1000:1000::/home:/bin/sh\n");
        File.WriteAllText(Path.Combine(directory, "etc/group"), "root:x:0:\nweb:x:1000:\nstaff:x:50:web\n");
        File.SetUnixFileMode(Path.Combine(directory, "tmp"), (UnixFileMode)0x3ff /* 1777 */);
        return directory;
    }
}
