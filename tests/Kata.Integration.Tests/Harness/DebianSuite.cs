namespace Kata.Integration.Tests.Harness;

/// <summary>
/// Programs of another Debian suite, with that suite's libraries beside them: they run on this system, where the shim, QEMU and the guest
/// are. Downloaded once, into the checkout's cache.
/// </summary>
internal static class DebianSuite
{
    private const string Mirror = "http://deb.debian.org/debian";

    /// <summary>One for all suites of these years; a debootstrap that is older than a suite has none of its name.</summary>
    private const string Script = "/usr/share/debootstrap/scripts/sid";

    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    /// <summary>Unpacks packages and has the programs among them use the libraries among them.</summary>
    /// <param name="suite">Such as <c>trixie</c>.</param>
    /// <param name="wanted">The package that needs all the others.</param>
    /// <param name="packages">Those to unpack.</param>
    /// <param name="programs">Paths in the packages.</param>
    /// <returns>The folder that they are in, and why they cannot be had here, or null.</returns>
    public static async Task<(string Folder, string? Problem)> GetAsync(string suite, string wanted, string[] packages, string[] programs)
    {
        string folder = Path.GetFullPath(Path.Combine(RuntimeFixture.RuntimePath!, "../../../.cache/debian", $"{suite}-{wanted}"));
        if (Directory.Exists(folder))
        {
            return (folder, null);
        }

        if (!File.Exists("/usr/sbin/debootstrap") || !File.Exists("/usr/bin/patchelf"))
        {
            return (folder, "needs debootstrap and patchelf (Debian: apt-get install debootstrap patchelf)");
        }

        DirectoryInfo work = Directory.CreateTempSubdirectory("kata-debian-");
        try
        {
            CommandResult download = await RunAsync(
                "/usr/sbin/debootstrap", "--download-only", "--variant=minbase", $"--include={wanted}", suite,
                Path.Combine(work.FullName, "all"), Mirror, Script);
            if (download.ExitCode != 0)
            {
                return (folder, $"debootstrap cannot download '{wanted}' of the suite '{suite}': {download.Lines[^1]} {download.Error}");
            }

            string unpacked = Path.Combine(work.FullName, "unpacked");
            foreach (string package in packages)
            {
                string file =
                    Directory.EnumerateFiles(Path.Combine(work.FullName, "all/var/cache/apt/archives"), package + "_*.deb").Single();
                (await RunAsync("/usr/bin/dpkg-deb", "--extract", file, unpacked)).Ok();
            }

            foreach (string program in programs)
            {
                (await RunAsync(
                    "/usr/bin/patchelf", "--set-interpreter", Path.Combine(folder, "usr/lib64/ld-linux-x86-64.so.2"), "--force-rpath",
                    "--set-rpath", Path.Combine(folder, "usr/lib/x86_64-linux-gnu"), Path.Combine(unpacked, program))).Ok();
            }

            Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
            (await RunAsync("/bin/mv", "--no-target-directory", unpacked, folder)).Ok();
            return (folder, null);
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    private static async Task<CommandResult> RunAsync(string program, params string[] arguments)
    {
        using RunningCommand command = RunningCommand.Start(program, arguments);
        return await command.FinishAsync(default, s_limit);
    }
}
