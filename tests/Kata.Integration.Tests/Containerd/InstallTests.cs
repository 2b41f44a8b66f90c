using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containerd;

/// <summary><c>kata-runtime install containerd</c>, judged by this host's containerd and by disks that are full or read-only.</summary>
public sealed class InstallTests : IDisposable
{
    private const string Containerd = "/usr/bin/containerd";
    private const string Ctr = "/usr/bin/ctr";
    private const string Text = "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\n  sandbox_image = \"example.org/pause:1\"\n";

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kata-it-");

    public InstallTests() => ContainerdFixture.RequireContainerd();

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData(Text)]
    [InlineData("")]
    [InlineData("[plugins.cri]\n  sandbox_image = \"example.org/pause:1\"\n")]
    [InlineData("version = 2\nimports = [\"{dir}/b/*.toml\"]\n[plugins.\"io.containerd.grpc.v1.cri\"]\n  sandbox_image = \"hidden\"\n")]
    public async Task Install_AnyVersion_IsWhatContainerdReads(string text)
    {
        await WriteAsync("config.toml", text);
        if (text.Contains("imports", StringComparison.Ordinal))
        {
            await WriteAsync("b/one.toml", Text);
        }

        (await InstallAsync("config.toml")).Ok();
        string dump = (await HostAsync(Containerd, "--config", PathOf("config.toml"), "config", "dump")).Ok().Text;
        Assert.Contains("runtimes.kata]", dump, StringComparison.Ordinal);
        Assert.Contains("runtimes.runc]", dump, StringComparison.Ordinal); // containerd 1.6 drops its own as soon as there is another
        Assert.Contains("runtime_type = \"io.containerd.kata.v2\"", dump, StringComparison.Ordinal);
        Assert.Contains("runtime_path = \"/bin/true\"", dump, StringComparison.Ordinal);
        Assert.Contains("privileged_without_host_devices = true", dump, StringComparison.Ordinal);
        Assert.Contains("pod_annotations = [\"io.katacontainers.*\"]", dump, StringComparison.Ordinal);
        Assert.Contains($"ConfigPath = \"{PathOf("config.toml")}\"", dump, StringComparison.Ordinal);
        if (text.Length > 0)
        {
            Assert.Contains("sandbox_image = \"example.org/pause:1\"", dump, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Snippet_InTheRepository_IsWhatContainerdReads()
    {
        string file = Path.GetFullPath("../../deploy/containerd/config-v2.toml", Path.GetDirectoryName(RuntimeFixture.RuntimePath!)!);
        string dump = (await HostAsync(Containerd, "--config", file, "config", "dump")).Ok().Text;
        Assert.Contains("runtime_type = \"io.containerd.kata.v2\"", dump, StringComparison.Ordinal);
        Assert.Contains("runtime_type = \"io.containerd.runc.v2\"", dump, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Install_ThenStart_HasAWorkingCriPlugin()
    {
        await WriteAsync("config.toml", $"""
            version = 2
            root = "{PathOf("root")}"
            state = "{PathOf("state")}"
            [grpc]
            address = "{PathOf("c.sock")}"
            [ttrpc]
            address = "{PathOf("t.sock")}"
            """);
        (await InstallAsync("config.toml")).Ok();
        using RunningCommand daemon = RunningCommand.Start(Containerd, ["--config", PathOf("config.toml"), "--log-level", "warn"]);
        CommandResult plugins;
        using var limit = new CancellationTokenSource(s_limit);
        while ((plugins = await HostAsync(Ctr, "--address", PathOf("c.sock"), "plugins", "ls")).ExitCode != 0)
        {
            Assert.False(daemon.HasExited, daemon.HasExited ? await daemon.ErrorAsync(s_limit) : "");
            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token); // it says by nothing else that it listens
        }

        HostProcess.Signal(daemon.Pid, 15);
        await daemon.ExitAsync(s_limit);
        string cri = Assert.Single(plugins.Lines, static line =>
            line.StartsWith("io.containerd.grpc.v1 ", StringComparison.Ordinal) && line.Contains(" cri ", StringComparison.Ordinal));
        Assert.EndsWith("ok", cri.TrimEnd(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("size=8k", "No space left on device. Make room on that disk")]
    [InlineData("ro", "Read-only file system. Make that file system writable")]
    public async Task Install_DiskThatTakesNothing_LeavesTheFileAndSaysWhatToDo(string option, string cause)
    {
        string disk = PathOf("disk");
        Directory.CreateDirectory(disk);
        (await HostAsync("/bin/mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", disk)).Ok();
        try
        {
            await WriteAsync("disk/config.toml", Text + $"# {new string('x', 7000)}\n");
            if (option == "ro")
            {
                (await HostAsync("/bin/mount", "-o", "remount,ro", disk)).Ok();
            }

            CommandResult result = await InstallAsync("disk/config.toml");
            Assert.Equal(1, result.ExitCode);
            Assert.Contains(cause, result.Error, StringComparison.Ordinal);
            Assert.Contains("nothing was changed", result.Error, StringComparison.Ordinal);
            Assert.StartsWith(
                Text,
                await File.ReadAllTextAsync(PathOf("disk/config.toml"), TestContext.Current.CancellationToken),
                StringComparison.Ordinal);
            Assert.Single(Directory.GetFileSystemEntries(disk));
        }
        finally
        {
            (await HostAsync("/bin/umount", disk)).Ok();
        }
    }

    private Task<CommandResult> InstallAsync(string name) =>
        HostAsync(
            RuntimeFixture.RuntimePath!, "install", "containerd", "--file", PathOf(name), "--runtime-path", "/bin/true",
            "--config-path", PathOf(name));

    private static async Task<CommandResult> HostAsync(string program, params string[] arguments)
    {
        using RunningCommand command = RunningCommand.Start(program, arguments);
        return await command.FinishAsync(default, s_limit);
    }

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);

    private async Task WriteAsync(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        await File.WriteAllTextAsync(
            PathOf(name), text.Replace("{dir}", _directory.FullName, StringComparison.Ordinal), TestContext.Current.CancellationToken);
    }
}
