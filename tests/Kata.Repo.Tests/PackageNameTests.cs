using System.Diagnostics;

namespace Kata.Repo.Tests;

/// <summary>
/// What scripts/dependencies asks apt for on releases that name a package differently: apt-cache is
/// a script that knows one release's names.
/// </summary>
public sealed class PackageNameTests : IDisposable
{
    private readonly DirectoryInfo _programs = Directory.CreateTempSubdirectory("kata-packages");

    public void Dispose() => _programs.Delete(recursive: true);

    [Theory]
    [InlineData("Debian 12", "qemu-system-common docker.io", "qemu-system-common qemu-system-x86 docker.io")]
    [InlineData("Debian 13", "virtiofsd docker-cli", "qemu-system-common qemu-system-x86 docker.io docker-cli virtiofsd")]
    [InlineData("Ubuntu 24.04", "virtiofsd docker.io", "qemu-system-common qemu-system-x86 docker.io virtiofsd")]
    public void Chosen_TwoNames_IsTheOneThatTheReleaseHas(string release, string expected, string known)
    {
        Know(known);

        (int code, string output) = Run("chosen 'virtiofsd|qemu-system-common' 'docker-cli|docker.io' docker.io");

        Assert.True(code == 0, release);
        Assert.Equal(expected.Contains("docker.io", StringComparison.Ordinal) ? expected : $"{expected} docker.io", output);
    }

    // Lists that were never read know nothing: the caller reads them and asks again.
    [Fact]
    public void Chosen_NoLists_FailsWithTheFirstNames()
    {
        Know("");

        Assert.Equal((1, "gcc virtiofsd"), Run("chosen gcc 'virtiofsd|qemu-system-common'"));
    }

    // apt-cache policy tells of such a package too, but of no version to install.
    [Fact]
    public void IsPackage_OnlyVirtual_IsNone()
    {
        Know("", candidate: "(none)", also: "virtiofsd");

        Assert.Equal(1, Run("is_package virtiofsd").Code);
    }

    // Nothing that is needed is in PATH, and there is no apt-get: what to install is said, by this release's names.
    [Theory]
    [InlineData("docker-cli docker.io", " docker-cli ")]
    [InlineData("docker.io", " docker.io ")]
    public void Dependencies_WithoutAptGet_NamesThisReleasesPackages(string known, string expected)
    {
        Know(known);
        foreach (string program in (string[])["bash", "dirname", "sed", "readlink", "head", "grep"])
        {
            File.CreateSymbolicLink(Path.Combine(_programs.FullName, program), $"/usr/bin/{program}");
        }

        (int code, string output) = Run($"scripts/dependencies test", path: _programs.FullName);

        Assert.Equal(2, code);
        Assert.Contains("apt-get install -y ", output, StringComparison.Ordinal);
        Assert.Contains(" runc ", output, StringComparison.Ordinal);
        Assert.Contains(expected, output, StringComparison.Ordinal);
        Assert.DoesNotContain("|", output, StringComparison.Ordinal);
    }

    private void Know(string packages, string candidate = "1:1.0-1", string also = "")
    {
        string text = $"""
            #!/bin/sh
            case " {packages} {also} " in *" $2 "*) printf '%s:\n  Installed: (none)\n  Candidate: %s\n' "$2" '{candidate}' ;; esac
            """;
        string path = Path.Combine(_programs.FullName, "apt-cache");
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private (int Code, string Output) Run(string command, string? path = null)
    {
        string root = Repository.Root;
        string script = path is null ? $". scripts/packages; {command}" : command;
        var start = new ProcessStartInfo("/bin/bash", ["-c", script])
        {
            WorkingDirectory = root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = path ?? $"{_programs.FullName}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["LC_ALL"] = "C";
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output.TrimEnd('\n'));
    }
}
