namespace Kata.Integration.Tests.Faults;

/// <summary>
/// A helper that is another program, or dies before the pod is up: the error has its own words, and not
/// those of the other one whose pipe broke.
/// </summary>
[Collection(FaultsCollection.Name)]
public sealed class DyingHelperTests : FaultTests
{
    private const string AnswersVersion = "[ \"$1\" = --version ] && { echo virtiofsd 1.13.2; exit; }\n";

    [Theory]
    [InlineData("echo own words >&2; exit 1", "virtiofsd ended with exit code 1: own words. Check")]
    [InlineData("sleep 0.2; echo own words; exit 3", "virtiofsd ended with exit code 3: own words. Check")]
    [InlineData("echo own words >&2; kill -ABRT $$", "virtiofsd was killed by signal 6: own words. Check")]
    [InlineData("exit 4", "virtiofsd ended with exit code 4. Check")]
    [InlineData("echo own words >&2; exit 0", "virtiofsd ended with exit code 0: own words. Check")]
    public async Task Create_FileServerDiesBeforeTheMonitorHasIt_IsToldInItsWords(string life, string expected)
    {
        Host.Configure(hypervisor: $"virtio_fs_daemon = \"{Script(AnswersVersion + life)}\"");

        Outcome outcome = await Host.RunAsync("create", "-b", Host.Bundle(), "c1");

        Assert.True(outcome.Code == 1, outcome.ToString());
        Assert.Contains(expected, outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("QEMU", outcome.Error, StringComparison.Ordinal); // which only says that its socket broke
        await Host.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData("echo 'own words' >&2; exit 127", "with 'own words' and ends with exit code 127")]
    [InlineData("kill -SEGV $$", "with nothing and ends with signal 11")]
    [InlineData("echo another 1.0", "with 'another 1.0'. Set")]
    public async Task Create_FileServerIsNone_IsToldInItsWords(string life, string expected)
    {
        Host.Configure(hypervisor: $"virtio_fs_daemon = \"{Script(life)}\"");

        Outcome outcome = await Host.RunAsync("create", "-b", Host.Bundle(), "c1");

        Assert.True(outcome.Code == 1, outcome.ToString());
        Assert.Contains($"as virtiofsd: it answers '--version' {expected}", outcome.Error, StringComparison.Ordinal);
        await Host.AssertNothingLeftAsync();
    }

    // The kernel's "no such file" is of the script's interpreter, which the jail has not.
    [Theory]
    [InlineData(0x1ed, "which has to be QEMU's own executable and no script", "No such file or directory (ENOENT)")] // 0755
    [InlineData(0x1c0, "which user 65534 has to be allowed to execute", "Permission denied (EACCES)")] // 0700
    public async Task Create_MonitorIsAScript_IsToldWhatItHasToBe(int mode, string needs, string cause)
    {
        string script = Script("exec qemu-system-x86_64 \"$@\"");
        File.SetUnixFileMode(script, (UnixFileMode)mode);
        Host.Configure(hypervisor: $"path = \"{script}\"");

        (await Host.RunAsync("create", "-b", Host.Bundle(), "c1")).AssertRefused(
            $"Cannot start the virtual machine 'c1' with '{script}', {needs}: Cannot start '{script}': posix_spawn: {cause}");
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Create_MonitorIsAnotherProgram_IsToldInItsWords()
    {
        Host.Configure(hypervisor: "path = \"/usr/bin/busybox\"");

        (await Host.RunAsync("create", "-b", Host.Bundle(), "c1")).AssertRefused(
            "Cannot start the virtual machine 'c1': QEMU ended with exit code 127: qemu: applet not found");
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Create_MonitorRefusesItsOptions_IsToldInItsWords()
    {
        Host.Configure(hypervisor: "machine_type = \"pseries\"");

        Outcome outcome = await Host.RunAsync("create", "-b", Host.Bundle(), "c1");

        Assert.True(outcome.Code == 1, outcome.ToString());
        Assert.Matches("Cannot start the virtual machine 'c1': QEMU ended with exit code 1: .*unsupported machine type", outcome.Error);
        await Host.AssertNothingLeftAsync();
    }

    private string Script(string text)
    {
        string path = Path.Combine(Host.Directory, "program");
        File.WriteAllText(path, $"#!/bin/sh\n{text}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}
