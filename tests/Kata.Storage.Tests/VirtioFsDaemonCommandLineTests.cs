namespace Kata.Storage.Tests;

public sealed class VirtioFsDaemonCommandLineTests
{
    private static readonly VirtioFsDaemonOptions s_options = new()
    {
        Path = "/usr/lib/qemu/virtiofsd",
        SourceDirectory = "/run/kata/s1/shared",
        SocketDirectory = "/run/kata/s1/vm",
    };

    [Fact]
    public void Build_C_IsTheGoldenLine() => Assert.Equal(
        [
            "virtiofsd", "--fd=3", "-f", "--rlimit-nofile=0", "-o", "source=/run/kata/s1/shared",
            "-o", "sandbox=namespace,cache=auto,no_posix_lock,xattr,announce_submounts", "-o", "log_level=err",
        ],
        VirtioFsDaemonCommandLine.Build(s_options));

    [Fact]
    public void Build_Rust_IsTheGoldenLine() => Assert.Equal(
        [
            "virtiofsd", "--fd=3", "--shared-dir=/run/kata/s1/shared", "--sandbox=namespace", "--seccomp=kill", "--cache=never", "--xattr",
            "--announce-submounts", "--rlimit-nofile=0", "--log-level=error", "--thread-pool-size=1",
        ],
        VirtioFsDaemonCommandLine.Build(s_options with { Path = "/usr/libexec/virtiofsd", CacheMode = "none", ExtraArguments = ["--thread-pool-size=1"] }));

    [Theory]
    [InlineData("/run/a,b/shared")]
    [InlineData("relative/shared")]
    public void Build_PathThatWouldBeAnOption_IsRefused(string path)
    {
        StorageException error = Assert.Throws<StorageException>(() => VirtioFsDaemonCommandLine.Build(s_options with { SourceDirectory = path }));

        Assert.Contains("Choose another '--root'", error.Message);
    }

    [Fact]
    public void Build_UnknownCacheMode_NamesTheSetting() => Assert.Contains(
        "Set 'virtio_fs_cache'",
        Assert.Throws<StorageException>(() => VirtioFsDaemonCommandLine.Build(s_options with { CacheMode = "auto,source=/" })).Message);

    [Fact]
    public void Start_MissingDaemon_SaysWhatToInstall() => Assert.Contains(
        "Install it",
        Assert.Throws<StorageException>(() => VirtioFsDaemon.Start(s_options with { Path = "/nowhere/virtiofsd" })).Message);
}
