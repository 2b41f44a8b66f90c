using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Clients;

/// <summary>A docker daemon and its containerd of our own, with the runtime registered by path as the default one.</summary>
public class DockerFixture : EngineFixture, IAsyncLifetime
{
    private const string Docker = "/usr/bin/docker";

    private readonly List<RunningCommand> _daemons = [];

    private protected override string? EngineProblem =>
        File.Exists(Docker) && File.Exists(Dockerd) && File.Exists(Containerd) ? null : "needs docker (Debian: apt-get install docker.io)";

    /// <summary>Where containerd's shim tells the runtime to keep its state.</summary>
    internal override string Root => Path.Combine(DirectoryPath, "docker", "exec", "runtime-runc", "moby");

    private protected virtual string Dockerd => "/usr/sbin/dockerd";

    private protected virtual string Containerd => "/usr/bin/containerd";

    /// <summary>What the daemon does to the network it runs in: by default nothing.</summary>
    private protected virtual string[] Networking =>
        ["--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"];

    // A socket's path has 107 bytes at most.
    private string Socket => Path.Combine(DirectoryPath, "docker.sock");

    internal override (string Program, string[] Arguments) CommandLine(string[] arguments) =>
        (Docker, ["--host", $"unix://{Socket}", "--config", Path.Combine(DirectoryPath, "docker-client"), .. arguments]);

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (RunningCommand daemon in Enumerable.Reverse(_daemons))
        {
            HostProcess.Signal(daemon.Pid, 15);
            await daemon.ExitAsync(Limit);
            daemon.Dispose();
        }

        if (_daemons.Count > 0)
        {
            // A daemon that is to find its containers again leaves its data mounted, and the network namespace that it runs in.
            string folder = Path.Combine(DirectoryPath, "docker");
            using RunningCommand unmount = RunningCommand.Start(
                "/bin/umount", [Path.Combine(folder, "data"), Path.Combine(folder, "exec/netns/default")]);
            _ = await unmount.FinishAsync(default, Limit);
        }

        await base.DisposeAsync();
    }

    internal async Task RestartDaemonAsync()
    {
        HostProcess.Signal(_daemons[1].Pid, 15);
        await _daemons[1].ExitAsync(Limit);
        _daemons[1].Dispose();
        _daemons.RemoveAt(1);
        await StartDockerdAsync();
    }

    private protected override async Task StartEngineAsync()
    {
        string containerd = Path.Combine(DirectoryPath, "containerd");
        Directory.CreateDirectory(containerd);
        string configuration = Path.Combine(containerd, "config.toml");
        await File.WriteAllTextAsync(configuration, $"""
            version = 2
            root = "{containerd}/root"
            state = "{containerd}/state"
            disabled_plugins = ["io.containerd.grpc.v1.cri"]
            [grpc]
            address = "{containerd}/c.sock"
            [ttrpc]
            address = "{containerd}/t.sock"
            """);
        // Our shim by its name too, for a dockerd that takes one.
        File.CreateSymbolicLink(Path.Combine(containerd, "containerd-shim-kata-v2"), RuntimePath!);
        string[] environment = [$"PATH={containerd}:/usr/sbin:/usr/bin:/sbin:/bin", $"KATA_CONF_FILE={ConfigurationFile}"];
        _daemons.Add(RunningCommand.Start(
            "/usr/bin/env", [.. environment, .. Launcher, Containerd, "--config", configuration, "--log-level", "warn"]));
        await StartDockerdAsync();
    }

    private async Task StartDockerdAsync()
    {
        string folder = Path.Combine(DirectoryPath, "docker");
        Directory.CreateDirectory(folder);
        string configuration = Path.Combine(folder, "daemon.json");
        await File.WriteAllTextAsync(configuration, "{}");
        _daemons.Add(RunningCommand.Start("/usr/bin/env",
        [
            .. Launcher, Dockerd, "--config-file", configuration,
            "--data-root", Path.Combine(folder, "data"), "--exec-root", Path.Combine(folder, "exec"),
            "--pidfile", Path.Combine(folder, "pid"),
            "--host", $"unix://{Socket}", "--containerd", Path.Combine(DirectoryPath, "containerd", "c.sock"),
            "--storage-driver", "vfs", .. Networking, "--live-restore", "--log-level", "warn",
            "--add-runtime", $"kata={RuntimeScript}", "--default-runtime", "kata",
        ]));
        using var limit = new CancellationTokenSource(Limit);
        while ((await EngineAsync("version")).ExitCode != 0)
        {
            Assert.False(_daemons[^1].HasExited, _daemons[^1].HasExited ? await _daemons[^1].ErrorAsync(Limit) : "");
            await Task.Delay(TimeSpan.FromMilliseconds(200), limit.Token); // it says by nothing else that it listens
        }
    }
}
