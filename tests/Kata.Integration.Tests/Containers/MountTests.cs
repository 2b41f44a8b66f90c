using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary>The root file system, mounts and paths of a container.</summary>
[Collection(ContainersGroup.Name)]
public sealed class MountTests : IClassFixture<PodFixture>
{
    private readonly PodFixture _pod;

    public MountTests(PodFixture pod)
    {
        RuntimeFixture.Require();
        _pod = pod;
    }

    [Fact]
    public async Task Root_Writable_WritesArriveOnTheHostWithTheirOwner()
    {
        string root = RootFileSystem.Create(_pod.NewDirectory("rootfs"));
        (await _pod.RunShellAsync(
            "echo text > /tmp/made",
            bundle => bundle.RootFs(root).Process["user"] =
                System.Text.Json.Nodes.JsonNode.Parse("""{ "uid": 1000, "gid": 1000 }"""))).Ok();

        Assert.Equal("text\n", await File.ReadAllTextAsync(Path.Combine(root, "tmp/made"), TestContext.Current.CancellationToken));
        Assert.Equal((1000, 1000), await OwnerAsync(Path.Combine(root, "tmp/made")));
    }

    [Fact]
    public async Task Root_ReadOnly_CannotBeWritten()
    {
        string root = RootFileSystem.Create(_pod.NewDirectory("rootfs"));
        CommandResult result = await _pod.RunShellAsync(
            "echo text > /tmp/made", bundle => bundle.RootFs(root).Config["root"]!["readonly"] = true);

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("Read-only file system", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(root, "tmp/made")));
    }

    /// <summary>What runc makes in a root file system before that becomes read-only.</summary>
    [Fact]
    public async Task Root_ReadOnlyAndWithoutWhatIsNeeded_Runs()
    {
        string root = RootFileSystem.Create(_pod.NewDirectory("rootfs"));
        Directory.Delete(Path.Combine(root, "dev"));
        File.CreateSymbolicLink(Path.Combine(root, "data"), "/var/nowhere/data");
        CommandResult result = await _pod.RunShellAsync(
            "pwd; echo x > /dev/null && echo null; echo text > /data/made && cat /var/nowhere/data/made; "
            + "echo y > /dev/made; echo y > /made",
            bundle =>
            {
                bundle.RootFs(root).Mount("/data", "tmpfs", "tmpfs").Config["root"]!["readonly"] = true;
                bundle.Process["cwd"] = "/not/there";
                RemoveDeviceMounts(bundle);
            });

        Assert.Equal(["/not/there", "null", "text"], result.Lines);
        Assert.Equal(2, result.Error.Split("Read-only file system").Length - 1);
    }

    [Fact]
    public async Task Root_WritableAndWithoutDevices_HasThem()
    {
        string root = RootFileSystem.Create(_pod.NewDirectory("rootfs"));
        Directory.Delete(Path.Combine(root, "dev"));

        Assert.Equal(
            "null",
            (await _pod.RunShellAsync("echo x > /dev/null && echo null", bundle => RemoveDeviceMounts(bundle.RootFs(root)))).Ok().Text);
    }

    [Fact]
    public async Task Tmpfs_WithOptions_IsMountedWithThem()
    {
        CommandResult result = await _pod.RunShellAsync(
            "grep ' /mnt ' /proc/self/mounts; touch /mnt/made && echo written",
            static bundle => bundle.Mount("/mnt", "tmpfs", "tmpfs", "nosuid", "noexec", "size=1m"));

        Assert.Matches("^tmpfs /mnt tmpfs .*nosuid.*noexec.*size=1024k", result.Ok().Lines[0]);
        Assert.Equal("written", result.Lines[1]);
        Assert.False(File.Exists(Path.Combine(_pod.RootFs, "mnt/made")));
    }

    [Fact]
    public async Task Bind_DirectoryReadWrite_SharesBothWays()
    {
        string source = _pod.NewDirectory("volume");
        await File.WriteAllTextAsync(Path.Combine(source, "in"), "from host", TestContext.Current.CancellationToken);

        CommandResult result = await _pod.RunShellAsync(
            "cat /mnt/in; echo from guest > /mnt/out", bundle => bundle.Mount("/mnt", "bind", source, "rbind", "rw"));

        Assert.Equal("from host", result.Ok().Text);
        Assert.Equal("from guest\n", await File.ReadAllTextAsync(Path.Combine(source, "out"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Bind_DirectoryReadOnly_CannotBeWritten()
    {
        string source = _pod.NewDirectory("volume");
        await File.WriteAllTextAsync(Path.Combine(source, "in"), "from host", TestContext.Current.CancellationToken);

        CommandResult result = await _pod.RunShellAsync(
            "cat /mnt/in; echo from guest > /mnt/out", bundle => bundle.Mount("/mnt", "bind", source, "rbind", "ro"));

        Assert.Equal("from host", result.Text);
        Assert.Contains("Read-only file system", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(source, "out")));
    }

    [Theory]
    [InlineData("rw", 0, "from guest\n")]
    [InlineData("ro", 1, "from host")]
    public async Task Bind_SingleFile_IsSharedAsTheOptionsSay(string mode, int code, string content)
    {
        string source = Path.Combine(_pod.NewDirectory("volume"), "file");
        await File.WriteAllTextAsync(source, "from host", TestContext.Current.CancellationToken);

        CommandResult result = await _pod.RunShellAsync(
            "cat /mnt/file; echo from guest > /mnt/file", bundle => bundle.Mount("/mnt/file", "bind", source, "bind", mode));

        Assert.Equal("from host", result.Text);
        Assert.Equal(code, result.ExitCode);
        Assert.Equal(content, await File.ReadAllTextAsync(source, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Bind_SourceIsMissing_IsRefusedWithTheFieldAndTheRemedy()
    {
        CommandResult result = await _pod.RunShellAsync("true", static bundle => bundle.Mount("/mnt", "bind", "/does/not/exist", "rbind"));

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("'/does/not/exist' does not exist", result.Error, StringComparison.Ordinal);
        Assert.Contains("Create it, or remove the mount", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bind_Deleted_LeavesTheSourceAlone()
    {
        string source = _pod.NewDirectory("volume");
        await File.WriteAllTextAsync(Path.Combine(source, "kept"), "kept", TestContext.Current.CancellationToken);

        (await _pod.RunShellAsync("true", bundle => bundle.Mount("/mnt", "bind", source, "rbind", "rw"))).Ok();

        Assert.True(File.Exists(Path.Combine(source, "kept")));
    }

    [Fact]
    public async Task MaskedPaths_FileAndDirectory_HoldNothing()
    {
        CommandResult result = await _pod.RunShellAsync("cat /proc/timer_list | wc -c; ls /sys/firmware | wc -l");

        Assert.Equal(["0", "0"], result.Ok().Lines);
    }

    [Fact]
    public async Task ReadonlyPaths_Default_CannotBeWritten()
    {
        CommandResult result = await _pod.RunShellAsync("echo 1 > /proc/sys/kernel/panic");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("Read-only file system", result.Error, StringComparison.Ordinal);
    }

    private static async Task<(int Uid, int Gid)> OwnerAsync(string path)
    {
        using RunningCommand stat = RunningCommand.Start("/usr/bin/stat", ["-c", "%u %g", path]);
        string[] words = (await stat.FinishAsync(default, RuntimeFixture.Limit)).Ok().Text.Split(' ');
        return (
            int.Parse(words[0], System.Globalization.CultureInfo.InvariantCulture),
            int.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture));
    }

    private static void RemoveDeviceMounts(TestBundle bundle)
    {
        JsonArray mounts = bundle.Config["mounts"]!.AsArray();
        JsonNode?[] devices =
            [.. mounts.Where(static item => item!["destination"]!.ToString().StartsWith("/dev", StringComparison.Ordinal))];
        foreach (JsonNode? mount in devices)
        {
            mounts.Remove(mount);
        }
    }
}
