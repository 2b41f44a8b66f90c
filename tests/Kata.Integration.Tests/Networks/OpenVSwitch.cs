using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary>
/// A real Open vSwitch with DPDK, without a card and without huge pages, whose bridge <c>br0</c> is an interface of the other end's
/// namespace of a <see cref="TestNetwork"/>, with the address 10.77.0.1/24. Its files and sockets are its own.
/// </summary>
internal sealed class OpenVSwitch : IAsyncDisposable
{
    /// <summary>What the bridge has.</summary>
    public const string Address = "10.77.0.1";

    private const string Switch = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk";
    private const string Plugins = "/usr/lib/x86_64-linux-gnu/dpdk";
    private const string Server = "/usr/sbin/ovsdb-server";

    private static readonly TimeSpan s_stopLimit = TimeSpan.FromSeconds(30);

    private readonly TestNetwork _network;
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ovs-");
    private RunningCommand? _server;
    private RunningCommand? _switch;

    private OpenVSwitch(TestNetwork network) => _network = network;

    /// <summary>A path for a socket, in a directory that the switch and the pod can both write to.</summary>
    public string PathOf(string name) => Path.Combine(_directory.FullName, name);

    /// <summary>Starts one. The test is skipped where there is none.</summary>
    public static async Task<OpenVSwitch> StartAsync(TestNetwork network)
    {
        Assert.SkipUnless(File.Exists(Switch), "needs Open vSwitch with DPDK (Debian: apt-get install openvswitch-switch-dpdk)");
        Assert.SkipUnless(
            Directory.Exists(Plugins) && Directory.GetFiles(Plugins, "librte_mempool_ring.so.*", SearchOption.AllDirectories).Length > 0,
            "needs DPDK's pools of memory (Debian: apt-get install librte-mempool-ring23)");
        Assert.SkipUnless(
            File.ReadAllText("/proc/cpuinfo").Contains("sse4_2", StringComparison.Ordinal),
            "needs SSE4.2, which Debian's DPDK is built for");
        var result = new OpenVSwitch(network);
        try
        {
            await RunAsync(
                "/usr/bin/ovsdb-tool", "create", result.PathOf("conf.db"), "/usr/share/openvswitch/vswitch.ovsschema");
            result._server = RunningCommand.Start(
                Server,
                [
                    result.PathOf("conf.db"), $"--remote=punix:{result.PathOf("db")}", $"--unixctl={result.PathOf("db.ctl")}", "--no-chdir",
                    $"--log-file={result.PathOf("db.log")}", "-vconsole:off",
                ]);
            await UntilThereAsync(result.PathOf("db"));
            await result.ConfigureAsync("--no-wait", "init");
            // DPDK needs no huge pages that way, and its files would be left in /run. A thread that polls sleeps when nothing comes.
            await result.ConfigureAsync(
                "--no-wait", "set", "Open_vSwitch", ".", "other_config:dpdk-init=true",
                "other_config:dpdk-extra=\"--no-huge --legacy-mem -m 512 --no-pci --no-telemetry --no-shconf --iova-mode=va\"",
                "other_config:per-port-memory=true",
                "other_config:pmd-maxsleep=500", "other_config:pmd-sleep-max=500"); // as 3.1 calls it, and later ones
            await result.StartSwitchAsync();
            return result;
        }
        catch
        {
            await result.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the switch itself, which goes on with what it had.</summary>
    public async Task StartSwitchAsync()
    {
        _switch = RunningCommand.Start(
            "/usr/bin/nsenter",
            [
                $"--net=/run/netns/{_network.Wire}", "/usr/bin/env", $"OVS_RUNDIR={_directory.FullName}",
                $"RUNTIME_DIRECTORY={_directory.FullName}", Switch, $"unix:{PathOf("db")}",
                $"--unixctl={PathOf("switch.ctl")}", "--no-chdir", $"--log-file={PathOf("switch.log")}", "-vconsole:off",
            ]);
        await ConfigureAsync("--may-exist", "add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev");
        await _network.OnWireAsync("addr", "replace", $"{Address}/24", "dev", "br0");
        await _network.OnWireAsync("link", "set", "br0", "up");
    }

    /// <summary>Kills the switch, as when it crashes.</summary>
    public async Task KillSwitchAsync()
    {
        if (_switch is { } running)
        {
            _switch = null;
            if (!running.HasExited)
            {
                HostProcess.Signal(running.Pid, 9);
            }

            await running.ExitAsync(s_stopLimit);
            running.Dispose();
        }
    }

    /// <summary>A port at which the switch connects to a socket that the machine has; it tries again until it can.</summary>
    public Task AddConnectingPortAsync(string name, string socket) => ConfigureAsync(
        "add-port", "br0", name, "--", "set", "Interface", name, "type=dpdkvhostuserclient", $"options:vhost-server-path={socket}");

    /// <summary>A port at which the switch listens.</summary>
    /// <returns>The socket.</returns>
    public async Task<string> AddListeningPortAsync(string name)
    {
        await ConfigureAsync("add-port", "br0", name, "--", "set", "Interface", name, "type=dpdkvhostuser");
        await UntilThereAsync(PathOf(name));
        return PathOf(name);
    }

    public async ValueTask DisposeAsync()
    {
        await KillSwitchAsync();
        if (_server is { } server)
        {
            if (!server.HasExited)
            {
                HostProcess.Signal(server.Pid, 9);
            }

            await server.ExitAsync(s_stopLimit);
            server.Dispose();
        }

        _directory.Delete(recursive: true);
    }

    private async Task ConfigureAsync(params string[] arguments)
    {
        try
        {
            await RunAsync(["/usr/bin/ovs-vsctl", $"--db=unix:{PathOf("db")}", "--timeout=60", .. arguments]);
        }
        catch (Exception error) when (File.Exists(PathOf("switch.log")))
        {
            Assert.Fail($"{error.Message}\n{await File.ReadAllTextAsync(PathOf("switch.log"))}");
        }
    }

    private static async Task UntilThereAsync(string path)
    {
        using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
        while (!File.Exists(path))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), limit.Token);
        }
    }

    private static async Task RunAsync(params string[] command)
    {
        using RunningCommand running = RunningCommand.Start(command[0], command[1..]);
        (await running.FinishAsync(default, RuntimeFixture.Limit)).Ok();
    }
}
