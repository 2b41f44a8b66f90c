namespace Kata.Runtime.Hosting;

/// <summary>What this host is.</summary>
internal static class HostInformation
{
    public static string KernelRelease() => ReadFirstLine("/proc/sys/kernel/osrelease") ?? "unknown";

    /// <summary>PRETTY_NAME of os-release(5).</summary>
    public static string Distribution()
    {
        const string Key = "PRETTY_NAME=";
        try
        {
            return File.ReadLines("/etc/os-release")
                .FirstOrDefault(static line => line.StartsWith(Key, StringComparison.Ordinal))?[Key.Length..].Trim('"')
                ?? "unknown";
        }
        catch (IOException)
        {
            return "unknown";
        }
    }

    private static string? ReadFirstLine(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (IOException)
        {
            return null;
        }
    }
}
