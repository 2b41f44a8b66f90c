namespace Kata.Hypervisor.Qemu;

/// <summary>What QEMU sees of the host: its program, its libraries, its firmware, and the guest's kernel.</summary>
internal static class QemuJail
{
    /// <summary>
    /// The host's paths for an executable, whatever prefix it is installed under. Those that do not exist are skipped later.
    /// </summary>
    public static IReadOnlyList<string> ReadOnlyPaths(string executable)
    {
        string prefix = Path.GetDirectoryName(Path.GetDirectoryName(executable)) ?? "/";
        HashSet<string> paths = [executable, "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"];
        foreach (string name in (ReadOnlySpan<string>)
            ["lib", "lib64", "libexec", "share/qemu", "share/kata-qemu", "share/seabios", "share/qemu-firmware"])
        {
            paths.Add(Path.Combine(prefix, name));
        }

        return [.. paths];
    }
}
