namespace Kata.Storage.Tests;

public sealed class VirtioFsDaemonCommandLineTests
{
    private static readonly VirtioFsDaemonOptions s_options = new()
    {
        Path = "/usr/lib/qemu/virtiofsd",
        SourceDirectory = "/run/kata/s1/shared",
        SocketDirectory = "/run/kata/s1/vm",
        OpenFiles = 20000,
    };

    [Fact]
    public void Build_C_IsTheGoldenLine() => Assert.Equal(
        [
            "virtiofsd", "--fd=3", "-f", "--rlimit-nofile=20000", "-o", "source=/run/kata/s1/shared",
            "-o", "sandbox=namespace,cache=auto,no_posix_lock,xattr,announce_submounts", "-o", "log_level=err",
        ],
        VirtioFsDaemonCommandLine.Build(s_options, VirtioFsDaemonKind.C));

    [Fact]
    public void Build_Rust_IsTheGoldenLine() => Assert.Equal(
        [
            "virtiofsd", "--fd=3", "--shared-dir=/run/kata/s1/shared", "--sandbox=namespace", "--seccomp=kill", "--cache=never", "--xattr",
            "--announce-submounts", "--rlimit-nofile=20000", "--log-level=error", "--thread-pool-size=1",
        ],
        VirtioFsDaemonCommandLine.Build(
            s_options with { CacheMode = "none", ExtraArguments = ["--thread-pool-size=1"] }, VirtioFsDaemonKind.Rust));

    [Theory]
    [InlineData("/run/a,b/shared")]
    [InlineData("relative/shared")]
    public void Build_PathThatWouldBeAnOption_IsRefused(string path)
    {
        StorageException error = Assert.Throws<StorageException>(
            () => VirtioFsDaemonCommandLine.Build(s_options with { SourceDirectory = path }, VirtioFsDaemonKind.C));

        Assert.Contains("Choose another '--root'", error.Message);
    }

    [Theory]
    [InlineData("auto,source=/", VirtioFsDaemonKind.C)]
    [InlineData("auto,source=/", VirtioFsDaemonKind.Rust)]
    public void Build_UnknownCacheMode_NamesTheSetting(string mode, object kind) => Assert.Contains(
        "Set 'virtio_fs_cache'",
        Assert.Throws<StorageException>(
            () => VirtioFsDaemonCommandLine.Build(s_options with { CacheMode = mode }, (VirtioFsDaemonKind)kind)).Message);

    [Fact]
    public void Build_CacheModeOfRustAlone_IsPassedAndCachesNoContentWithTheOther()
    {
        VirtioFsDaemonOptions options = s_options with { CacheMode = "metadata" };
        Assert.Contains("--cache=metadata", VirtioFsDaemonCommandLine.Build(options, VirtioFsDaemonKind.Rust));
        Assert.Contains(
            VirtioFsDaemonCommandLine.Build(options, VirtioFsDaemonKind.C),
            static item => item.Contains(",cache=none,", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Start_MissingDaemon_SaysWhatToInstall() => Assert.Contains(
        "Install 'virtiofsd'",
        (await Assert.ThrowsAsync<StorageException>(() => VirtioFsDaemon.StartAsync(s_options with { Path = "/nowhere/virtiofsd" })))
            .Message);
}
