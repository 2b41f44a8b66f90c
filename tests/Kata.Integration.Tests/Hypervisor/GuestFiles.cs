namespace Kata.Integration.Tests.Hypervisor;

/// <summary>The kernel and the initial RAM file system that the real machines of these tests boot.</summary>
internal static class GuestFiles
{
    private const string Artifacts = "artifacts/share/kata-containers";

    /// <summary>The kernel, or a skip that says what is missing.</summary>
    public static string Kernel => Find("KATA_TEST_KERNEL", "vmlinuz.container");

    /// <summary>The guest image with our agent, or a skip that says what is missing.</summary>
    public static string Initrd => Find("KATA_TEST_INITRD", "kata-containers-initrd.img");

    public static void RequireRoot() => Assert.SkipUnless(Environment.UserName == "root" && OperatingSystem.IsLinux(), "needs root");

    private static string Find(string variable, string name)
    {
        string? path = Environment.GetEnvironmentVariable(variable);
        for (string? directory = AppContext.BaseDirectory;
             path is null && directory is not null;
             directory = Path.GetDirectoryName(directory))
        {
            string candidate = Path.Combine(directory, Artifacts, name);
            path = File.Exists(candidate) ? candidate : null;
        }

        Assert.SkipWhen(path is null, $"needs '{Artifacts}/{name}' ('make guest'), or {variable}");
        return path!;
    }
}
