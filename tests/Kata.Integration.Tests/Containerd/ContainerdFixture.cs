using System.Globalization;
using Kata.Integration.Tests.Harness;
using Kata.Testing;

namespace Kata.Integration.Tests.Containerd;

/// <summary>
/// A containerd of our own that finds <c>containerd-shim-kata-v2</c> in its path, with an image
/// called <see cref="Image"/> that has busybox.
/// </summary>
public class ContainerdFixture : RuntimeFixture, IAsyncDisposable
{
    internal const string Image = "example.org/kata-test:1";

    internal static readonly string[] Runtime = ["--runtime", "io.containerd.kata.v2"];

    private static int s_namespaces;

    private readonly string? _suite;
    private string _programs = "/usr/bin";
    private RunningCommand? _daemon;

    public ContainerdFixture()
    {
    }

    /// <param name="suite">The Debian suite that containerd is from, when not this system's.</param>
    protected ContainerdFixture(string suite) => _suite = suite;

    /// <summary>Why that suite's containerd cannot be had here, or null.</summary>
    internal string? Missing { get; private set; }

    internal override string Root => $"/run/kata/@{Namespace}";

    /// <summary>containerd's namespace, which names the state root too: each fixture's own, as tests kill what is in theirs.</summary>
    private protected virtual string Namespace { get; } = string.Create(
        CultureInfo.InvariantCulture, $"it{Environment.ProcessId}-{Interlocked.Increment(ref s_namespaces)}");

    /// <summary>What the daemon's configuration says of its CRI service.</summary>
    private protected virtual string CriConfiguration => """disabled_plugins = ["io.containerd.grpc.v1.cri"]""";

    /// <summary>The program of the image, when none is given.</summary>
    private protected virtual string ImageCommand => """["sh"]""";

    /// <summary>The command that runs the daemon's.</summary>
    private protected virtual string[] Launcher => [];

    private string Daemon => Path.Combine(_programs, "containerd");

    private string Ctr => Path.Combine(_programs, "ctr");

    private protected int DaemonPid => _daemon!.Pid;

    private protected string Folder => Path.Combine(DirectoryPath, "containerd");

    private protected string SocketPath => Path.Combine(Folder, "c.sock");

    internal static void RequireContainerd()
    {
        Require();
        Assert.SkipUnless(
            File.Exists("/usr/bin/containerd") && File.Exists("/usr/bin/ctr"),
            "needs containerd and ctr (Debian: apt-get install containerd)");
    }

    /// <summary>Runs <c>ctr</c>. Its input stays open until the test ends: it loses the end of one that is over too early.</summary>
    internal async Task<CommandResult> CtrAsync(params string[] arguments)
    {
        using RunningCommand command = StartCtr(arguments);
        return await command.FinishAsync(default, Limit);
    }

    internal RunningCommand StartCtr(params string[] arguments) =>
        RunningCommand.Start(Ctr, ["--address", SocketPath, "--namespace", Namespace, .. arguments]);

    /// <summary>Runs <c>ctr</c> with its output in a file, to be looked at while it runs.</summary>
    internal RunningCommand StartCtrTo(string file, params string[] arguments) => RunningCommand.Start(
        "/bin/sh", ["-c", $"exec \"$0\" \"$@\" > '{file}'", Ctr, "--address", SocketPath, "--namespace", Namespace, .. arguments]);

    internal Task RestartAsync() => RestartAsync(15);

    /// <summary>Kills the daemon without a chance to prepare for it, and starts it again.</summary>
    internal Task KillAsync() => RestartAsync(9);

    private async Task RestartAsync(int signal)
    {
        HostProcess.Signal(_daemon!.Pid, signal);
        await _daemon.ExitAsync(Limit);
        _daemon.Dispose();
        await StartAsync();
    }

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_daemon is not null)
        {
            await ReleaseAsync();
            HostProcess.Signal(_daemon.Pid, 15);
            await _daemon.ExitAsync(Limit);
            _daemon.Dispose();
        }

        await base.DisposeAsync();
        if (Directory.Exists(Root))
        {
            Directory.Delete(Root, recursive: true);
        }
    }

    /// <summary>Waits until what the tests use of the daemon answers.</summary>
    private protected virtual Task ReadyAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Gives back what the tests left, while the daemon still runs.</summary>
    private protected virtual Task ReleaseAsync() => Task.CompletedTask;

    private protected override async Task PrepareAsync()
    {
        if (_suite is not null)
        {
            (string folder, Missing) = await DebianSuite.GetAsync(
                _suite, "containerd", ["containerd", "libc6", "libseccomp2"], ["usr/bin/containerd", "usr/bin/ctr"]);
            _programs = Path.Combine(folder, "usr/bin");
        }

        if (!File.Exists(Daemon) || !File.Exists(Ctr))
        {
            return;
        }

        Directory.CreateDirectory(Path.Combine(Folder, "bin"));
        File.CreateSymbolicLink(Path.Combine(Folder, "bin", "containerd-shim-kata-v2"), RuntimePath!);
        await File.WriteAllTextAsync(Path.Combine(Folder, "config.toml"), $"""
            version = 2
            root = "{Folder}/root"
            state = "{Folder}/state"
            {CriConfiguration}
            [grpc]
            address = "{SocketPath}"
            [ttrpc]
            address = "{Folder}/t.sock"
            """);
        await StartAsync();
        string image = Path.Combine(Folder, "image.tar");
        DockerArchive.Write(image, RootFs, Image, ImageCommand);
        (await CtrAsync("images", "import", image)).Ok();
    }

    private async Task StartAsync()
    {
        _daemon = RunningCommand.Start("/usr/bin/env",
        [
            $"PATH={Folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin", $"KATA_CONF_FILE={ConfigurationFile}", .. Launcher,
            Daemon, "--config", Path.Combine(Folder, "config.toml"), "--log-level", "warn",
        ]);
        using var limit = new CancellationTokenSource(Limit);
        while ((await CtrAsync("version")).ExitCode != 0)
        {
            Assert.False(_daemon.HasExited, _daemon.HasExited ? await _daemon.ErrorAsync(Limit) : "");
            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token); // it says by nothing else that it listens
        }

        await ReadyAsync(limit.Token);
    }
}
