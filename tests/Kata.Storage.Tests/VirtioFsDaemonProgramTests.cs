using Kata.Linux;
using Kata.Testing;

namespace Kata.Storage.Tests;

public sealed class VirtioFsDaemonProgramTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kata-test-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("virtiofsd version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)", false, "7.2.22", false)]
    [InlineData("virtiofsd version 6.2.0 (qemu-kvm-6.2.0-53.module)", false, "6.2.0", false)]
    [InlineData("virtiofsd 1.13.2", true, "1.13.2", true)]
    [InlineData("virtiofsd 1.5.0", true, "1.5.0", true)]
    [InlineData("virtiofsd v1.14.0-dev+a1", true, "1.14.0", true)]
    [InlineData("virtiofsd backend 1.4.0", true, "1.4.0", false)]
    public void Parse_Versions_AreTold(string line, bool isRust, string version, bool maps)
    {
        VirtioFsDaemonProgram program = VirtioFsDaemonProgram.Parse("/v", ["[a warning]", line, "Copyright"], new ExitStatus(0, null));

        Assert.Equal(isRust ? VirtioFsDaemonKind.Rust : VirtioFsDaemonKind.C, program.Kind);
        Assert.Equal(Version.Parse(version), program.Version);
        Assert.Equal(maps, program.MapsAppendedFiles);
    }

    [Theory]
    [InlineData("")]
    [InlineData("virtiofsd")]
    [InlineData("virtiofsd of mine")]
    [InlineData("virtiofsd version")]
    [InlineData("QEMU emulator version 7.2.22")]
    [InlineData("virtiofsd 1")]
    public void Parse_AnotherProgram_IsRefusedInItsOwnWords(string line)
    {
        string message = Assert.Throws<StorageException>(
            () => VirtioFsDaemonProgram.Parse("/v", line.Length == 0 ? [] : [line], new ExitStatus(0, null))).Message;

        Assert.StartsWith("Cannot use '/v' as virtiofsd: it answers '--version' with ", message, StringComparison.Ordinal);
        Assert.Contains(line.Length == 0 ? "nothing" : $"'{line}'", message, StringComparison.Ordinal);
    }

    // What Debian 13 has at the C daemon's old path is a link to the Rust one: the path tells nothing.
    [Fact]
    public async Task Ask_LinkAtTheOldPath_IsWhatItAnswers()
    {
        Directory.CreateDirectory(Path.Combine(_directory.FullName, "qemu"));
        string link = Path.Combine(_directory.FullName, "qemu/virtiofsd");
        File.CreateSymbolicLink(link, Script("real", "echo virtiofsd 1.13.2"));

        Assert.Equal(
            new VirtioFsDaemonProgram(VirtioFsDaemonKind.Rust, new Version(1, 13, 2)),
            await VirtioFsDaemonProgram.AskAsync(link, TimeProvider.System));
    }

    [Fact]
    public async Task Ask_BrokenProgram_GivesItsLastWords()
    {
        string path = Script("broken", "echo 'virtiofsd: error while loading shared libraries: libseccomp.so.2' >&2; exit 127");

        Assert.Contains(
            "loading shared libraries: libseccomp.so.2' and ends with exit code 127. ", (await AskAsync(path)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ask_ProgramThatIsKilledWithoutAWord_TellsTheSignal()
    {
        string path = Script("killed", "kill -SEGV $$");

        Assert.Contains(
            "it answers '--version' with nothing and ends with signal 11. ", (await AskAsync(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ask_FileThatIsNoProgram_IsRefused()
    {
        string path = Path.Combine(_directory.FullName, "text");
        File.WriteAllText(path, "no program");

        Assert.StartsWith($"Cannot ask virtiofsd '{path}' for its version", (await AskAsync(path)).Message, StringComparison.Ordinal);
    }

    private static Task<StorageException> AskAsync(string path) =>
        Assert.ThrowsAsync<StorageException>(() => VirtioFsDaemonProgram.AskAsync(path, TimeProvider.System));

    private string Script(string name, string text)
    {
        string path = Path.Combine(_directory.FullName, name);
        File.WriteAllText(path, $"#!/bin/sh\n{text}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    [Fact]
    public void CommandOf_DaemonWithALoaderBesideIt_IsStartedByThat()
    {
        using var directory = new TemporaryDirectory();
        string daemon = directory.File("virtiofsd"), loader = directory.File("ld-linux-x86-64.so.2");
        Assert.Equal(daemon, VirtioFsDaemonProgram.CommandOf(daemon, ["virtiofsd", "--fd=3"]).Executable);

        File.WriteAllText(loader, "");
        (string executable, IReadOnlyList<string> arguments) = VirtioFsDaemonProgram.CommandOf(daemon, ["virtiofsd", "--fd=3"]);

        Assert.Equal(loader, executable);
        Assert.Equal(["virtiofsd", "--library-path", directory.Path, "--argv0", "virtiofsd", daemon, "--fd=3"], arguments);
    }
}
