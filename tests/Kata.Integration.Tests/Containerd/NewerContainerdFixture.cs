using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containerd;

/// <summary>
/// containerd of a newer Debian suite, with that suite's C library beside it: its programs run on this system by their own loader, so
/// that they find the shim, QEMU and the guest where these are. Downloaded once, into the checkout's cache.
/// </summary>
public abstract class NewerContainerdFixture(string suite) : ContainerdFixture
{
    private static readonly TimeSpan s_download = TimeSpan.FromMinutes(5);

    /// <summary>Why it cannot be had here, or null.</summary>
    internal string? Missing { get; private set; }

    private protected override string[] Daemon => Program("containerd");

    private protected override string[] Ctr => Program("ctr");

    private string Unpacked => Path.GetFullPath(Path.Combine(RuntimePath!, "../../..", ".cache/containerd", suite));

    private protected override async Task PrepareAsync()
    {
        if (!Directory.Exists(Unpacked))
        {
            Missing = await DownloadAsync();
        }

        await base.PrepareAsync();
    }

    private string[] Program(string name) =>
        [Path.Combine(Unpacked, "usr/lib64/ld-linux-x86-64.so.2"), "--library-path", Path.Combine(Unpacked, "usr/lib/x86_64-linux-gnu"), Path.Combine(Unpacked, "usr/bin", name)];

    private async Task<string?> DownloadAsync()
    {
        if (!File.Exists("/usr/sbin/debootstrap"))
        {
            return "needs debootstrap (Debian: apt-get install debootstrap)";
        }

        string packages = NewDirectory("packages"), unpacked = NewDirectory("unpacked");
        CommandResult result = await RunAsync("/usr/sbin/debootstrap", "--download-only", "--variant=minbase", "--include=containerd", suite, packages);
        if (result.ExitCode != 0)
        {
            return $"debootstrap cannot download the suite '{suite}': {result.Text.Split('\n')[^1]} {result.Error}";
        }

        foreach (string package in new[] { "containerd", "libc6", "libseccomp2" })
        {
            string file = Directory.EnumerateFiles(Path.Combine(packages, "var/cache/apt/archives"), package + "_*.deb").Single();
            (await RunAsync("/usr/bin/dpkg-deb", "--extract", file, unpacked)).Ok();
        }

        Directory.CreateDirectory(Path.GetDirectoryName(Unpacked)!);
        (await RunAsync("/bin/mv", "--no-target-directory", unpacked, Unpacked)).Ok();
        return null;
    }

    private static async Task<CommandResult> RunAsync(string program, params string[] arguments)
    {
        using RunningCommand command = RunningCommand.Start(program, arguments);
        return await command.FinishAsync(default, s_download);
    }
}
