using Kata.Testing;

namespace Kata.Configuration.Tests;

public sealed class NamedFilesTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public NamedFilesTests()
    {
        Write("qemu", "#!/bin/sh\n"u8, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Write("virtiofsd", "#!/bin/sh\n"u8, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Write("kernel", [.. new byte[0x202], .. "HdrS"u8, 0x0f, 0x02]);
        Write("initrd", "070701and so on"u8);
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Validate_EveryFileIsThere_FindsNothing() => Assert.Empty(Errors());

    [Theory]
    [InlineData("qemu", "2: hypervisor.path", "does not exist. Install 'qemu-system-x86'")]
    [InlineData("virtiofsd", "3: hypervisor.virtio_fs_daemon", "does not exist. Install 'virtiofsd' (Debian 12: 'qemu-system-common')")]
    [InlineData("kernel", "4: hypervisor.kernel", "does not exist. Run 'make install' (in a clone 'make guest')")]
    [InlineData("initrd", "5: hypervisor.initrd", "does not exist. Run 'make install' (in a clone 'make guest')")]
    public void Validate_FileIsMissing_NamesLineKeyAndRemedy(string name, string place, string end)
    {
        File.Delete(_directory.File(name));
        string error = Assert.Single(Errors());
        string at = $"{_directory.File("configuration.toml")}:{place.Replace(": ", "': ", StringComparison.Ordinal)}";
        Assert.StartsWith($"Cannot use the configuration '{at} holds", error, StringComparison.Ordinal);
        Assert.Contains(end, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("qemu")]
    [InlineData("virtiofsd")]
    public void Validate_ProgramIsNotExecutable_SaysHowToMakeItSo(string name)
    {
        Write(name, "#!/bin/sh\n"u8);
        Assert.EndsWith(
            "which is not executable. Make it executable (chmod 755), or name another one",
            Assert.Single(Errors()),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kernel", "a kernel image")]
    [InlineData("initrd", "an initial RAM disk")]
    public void Validate_GuestFileIsSomethingElse_SaysSo(string name, string what)
    {
        Write(name, "#!/bin/sh\necho a long enough script that is neither"u8);
        Assert.Contains($"which is not {what}. ", Assert.Single(Errors()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("qemu")]
    [InlineData("kernel")]
    [InlineData("initrd")]
    public void Validate_FileIsADirectory_SaysSo(string name)
    {
        File.Delete(_directory.File(name));
        Directory.CreateDirectory(_directory.File(name));
        Assert.Contains("which is a directory. ", Assert.Single(Errors()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("qemu")]
    [InlineData("initrd")]
    public void Validate_FileIsEmpty_SaysSo(string name)
    {
        Write(name, []);
        Assert.Contains("which is empty or not a regular file. ", Assert.Single(Errors()), StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_FileIsADevice_IsNotOpened()
    {
        File.Delete(_directory.File("kernel"));
        File.CreateSymbolicLink(_directory.File("kernel"), "/dev/zero");
        Assert.Contains("which is empty or not a regular file. ", Assert.Single(Errors()), StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_LinkToNothing_NamesBothEnds()
    {
        File.Delete(_directory.File("kernel"));
        File.CreateSymbolicLink(_directory.File("kernel"), _directory.File("gone"));
        Assert.Contains(
            $"which is a link to \"{_directory.File("gone")}\", which does not exist. ", Assert.Single(Errors()), StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_RamDiskDoesNotFitIntoTheMemory_PointsToTheMemory()
    {
        using (FileStream file = File.OpenWrite(_directory.File("initrd")))
        {
            file.SetLength(300L << 20);
        }

        Assert.Contains(
            ":6': hypervisor.default_memory holds 256, and the initial RAM disk",
            Assert.Single(Errors("default_memory = 256\n")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_BuiltInFileIsMissing_SaysThatTheKeyIsNotSet()
    {
        File.WriteAllText(
            _directory.File("configuration.toml"),
            $"[hypervisor.qemu]\npath = \"{_directory.File("qemu")}\"\nvirtio_fs_daemon = \"{_directory.File("virtiofsd")}\"\n");
        string[] errors = Validate();
        Assert.Equal(2, errors.Length);
        Assert.All(errors, static error =>
            Assert.StartsWith("Cannot use the configuration 'built-in': hypervisor.", error, StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains(
            $"hypervisor.kernel is not set, and the built-in \"{_directory.Path}/share/kata-containers/vmlinuz.container\" does not exist. "
            + "Run 'make install' (in a clone 'make guest')",
            StringComparison.Ordinal));
    }

    private string[] Errors(string more = "")
    {
        File.WriteAllText(
            _directory.File("configuration.toml"),
            $"""
            [hypervisor.qemu]
            path = "{_directory.File("qemu")}"
            virtio_fs_daemon = "{_directory.File("virtiofsd")}"
            kernel = "{_directory.File("kernel")}"
            initrd = "{_directory.File("initrd")}"
            {more}
            """);
        return Validate();
    }

    private string[] Validate() =>
        [.. ConfigurationValidator.Validate(
            new ConfigurationSources
            {
                ExplicitPath = _directory.File("configuration.toml"),
                InstallPrefix = _directory.Path,
                HostCpuCount = 2,
            },
            namedFiles: true).Select(static finding => finding.Text)];

    private void Write(string name, ReadOnlySpan<byte> content, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        File.WriteAllBytes(_directory.File(name), content);
        File.SetUnixFileMode(_directory.File(name), mode);
    }
}
