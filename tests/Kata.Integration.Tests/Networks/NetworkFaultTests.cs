using System.Globalization;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary>
/// Networks that are too large, too fast, or hostile, and a machine that refuses: the pod goes on, and ends with what is there.
/// </summary>
[Collection(ContainersGroup.Name)]
public sealed class NetworkFaultTests : IClassFixture<NetworkFixture>
{
    private const int Routes = 4096;
    private const int SignalContinue = 18, SignalStop = 19;

    private readonly NetworkFixture _host;

    public NetworkFaultTests(NetworkFixture host)
    {
        RuntimeFixture.Require();
        _host = host;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Routes_Thousands_AreTheGuestsFromTheStartAndLater()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        await network.BatchInPodAsync([.. RoutesTo(100).Select(static route => "route add " + route)]);
        string pod = await _host.StartAsync(network);
        const string Count = "ip route | grep -c 'via 10.77.0.1 dev eth0'";

        Assert.Equal($"{Routes + 1}", (await _host.ShellAsync(pod, Count)).Trim()); // and the default one
        await network.BatchInPodAsync([.. RoutesTo(120).Select(static route => "route add " + route)]);
        await _host.UntilAsync(pod, Count, $"{(2 * Routes) + 1}", there: true);
        Assert.Contains("10.135.255.0/24 via 10.77.0.1", await _host.ShellAsync(pod, "ip route"), StringComparison.Ordinal);
        await network.BatchInPodAsync([.. RoutesTo(100).Concat(RoutesTo(120)).Select(static route => "route del " + route)]);
        await _host.UntilAsync(pod, $"echo =$({Count})=", "=1=", there: true);
        Assert.Contains(" 0% packet loss", await _host.ShellAsync(pod, "ping -c 1 -W 5 10.77.0.1"), StringComparison.Ordinal);
        await _host.DeleteAsync(pod);
    }

    // The service does not read meanwhile: its socket overflows, and the kernel says only that something was lost.
    [Fact]
    public async Task Changes_MoreThanTheSocketHolds_EndWithTheFinalState()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string pod = await _host.StartAsync(network);
        int service = _host.ServicePid(pod);
        HostProcess.Signal(service, SignalStop);
        try
        {
            IEnumerable<string> flood = Enumerable.Range(0, 3000).SelectMany(static number => (string[])
            [
                string.Create(CultureInfo.InvariantCulture, $"addr add 10.78.{number / 250}.{number % 250}/32 dev eth0"),
                string.Create(CultureInfo.InvariantCulture, $"link set eth0 mtu {1300 + (number % 100)}"),
                string.Create(CultureInfo.InvariantCulture, $"addr del 10.78.{number / 250}.{number % 250}/32 dev eth0"),
            ]);
            await network.BatchInPodAsync(
                [.. flood, "link set eth0 mtu 1234", "addr add 10.79.0.1/32 dev eth0", "route add 10.44.0.0/16 via 10.77.0.1"]);
        }
        finally
        {
            HostProcess.Signal(service, SignalContinue);
        }

        await _host.UntilAsync(pod, "ip route", "10.44.0.0/16 via 10.77.0.1", there: true);
        string addresses = await _host.ShellAsync(pod, "ip addr show eth0");
        Assert.Contains("mtu 1234", addresses, StringComparison.Ordinal);
        Assert.Contains("10.79.0.1/32", addresses, StringComparison.Ordinal);
        Assert.DoesNotContain("10.78.", addresses, StringComparison.Ordinal);

        // It still follows.
        await network.InPodAsync("addr", "add", "10.79.0.2/32", "dev", "eth0");
        await _host.UntilAsync(pod, "ip addr show eth0", "10.79.0.2/32", there: true);
        await _host.DeleteAsync(pod);
    }

    [Fact]
    public async Task Mtu_LargerThanATapTakes_IsTheLargestOneWithAWord()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        await network.InPodAsync("link", "set", "eth0", "mtu", "65535");
        await network.OnWireAsync("link", "set", "wire0", "mtu", "65535");
        string pod = await _host.StartAsync(network);

        Assert.Contains("mtu 65521", await _host.ShellAsync(pod, "ip link show eth0"), StringComparison.Ordinal);
        Assert.Contains(" 0% packet loss", await _host.ShellAsync(pod, "ping -c 2 -W 5 -s 60000 10.77.0.1"), StringComparison.Ordinal);
        Assert.Contains(
            "The interface 'eth0' has an MTU of 65521 in the guest, not of 65535: no tap takes more",
            await File.ReadAllTextAsync(_host.Log, Cancellation), StringComparison.Ordinal);
        await network.InPodAsync("link", "set", "eth0", "mtu", "1500");
        await _host.UntilAsync(pod, "ip link show eth0", "mtu 1500", there: true);
        await network.InPodAsync("link", "set", "eth0", "mtu", "65530");
        await _host.UntilAsync(pod, "ip link show eth0", "mtu 65521", there: true);
        await _host.DeleteAsync(pod);
    }

    // At any moment of its attachment: before the tap, while the machine takes the card, while the guest is told.
    [Fact]
    public async Task Interface_GoneWhileItIsAttached_LeavesAHealthyPod()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string before = await network.StateAsync();
        string pod = await _host.StartAsync(network);
        for (int round = 0; round < 20; round++)
        {
            await network.BatchOnWireAsync(
                $"link add w{round} up type veth peer name n{round} netns {network.Pod}");
            await network.InPodAsync("link", "set", $"n{round}", "up");
            await Task.Delay(TimeSpan.FromMilliseconds(round * 15), Cancellation);
            await network.OnWireAsync("link", "del", $"w{round}");
        }

        await network.AddLinkAsync("net1", "wire1", "10.81.0.2/24", "10.81.0.1/24");
        await _host.UntilAsync(pod, "ping -c 1 -W 5 10.81.0.1 2>&1 || true", " 0% packet loss", there: true);
        await _host.UntilAsync(pod, "ip -o link | wc -l", "3", there: true); // lo, eth0, net1
        Assert.Contains(" 0% packet loss", await _host.ShellAsync(pod, "ping -c 1 -W 5 10.77.0.1"), StringComparison.Ordinal);
        Assert.Equal(2, (await network.InPodAsync("link")).Text.Split("_kata:").Length - 1);
        await network.OnWireAsync("link", "del", "wire1");
        await _host.DeleteAsync(pod);
        Assert.Equal(before, await network.StateAsync());
    }

    // It has no descriptor left for a card's.
    [Fact]
    public async Task Machine_RefusesACard_IsUndoneAndThePodGoesOn()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string pod = await _host.StartAsync(network);
        string before = await network.StateAsync();
        int machine = _host.Snapshot().Processes.Single(
            process => process.Command.Contains($"guest=sandbox-{pod},", StringComparison.Ordinal)).Pid;
        string limit = (await LimitAsync(machine, "--output", "SOFT", "--noheadings", "--raw", "--nofile")).Text.Trim();
        await LimitAsync(machine, $"--nofile={HostProcess.DescriptorLimitFor(machine, 0)}:");

        await network.AddLinkAsync("net1", "wire1", "10.81.0.2/24", "10.81.0.1/24");
        Assert.Equal(1, await _host.SettledAsync($"The guest of '{pod}' cannot follow a change of its network"));
        Assert.DoesNotContain("net1", await _host.ShellAsync(pod, "ip link"), StringComparison.Ordinal);
        Assert.Contains(" 0% packet loss", await _host.ShellAsync(pod, "ping -c 1 -W 5 10.77.0.1"), StringComparison.Ordinal);
        await network.InPodAsync("addr", "add", "10.77.0.50/24", "dev", "eth0"); // others are followed
        await _host.UntilAsync(pod, "ip addr show eth0", "10.77.0.50/24", there: true);
        await network.InPodAsync("addr", "del", "10.77.0.50/24", "dev", "eth0");
        await network.OnWireAsync("link", "del", "wire1");
        Assert.Equal(before, await network.StateAsync());

        await LimitAsync(machine, $"--nofile={limit}:");
        await network.AddLinkAsync("net1", "wire1", "10.81.0.2/24", "10.81.0.1/24");
        await _host.UntilAsync(pod, "ping -c 1 -W 5 10.81.0.1 2>&1 || true", " 0% packet loss", there: true);
        await _host.DeleteAsync(pod);
    }

    // What a container with CAP_NET_RAW on a veth of the same bridge may, a guest may: lie about its own addresses, and be loud.
    [Fact]
    public async Task Guest_ThatForgesAddressesAndFloods_HarmsItselfOnly()
    {
        await using TestNetwork first = await TestNetwork.CreateAsync();
        await using TestNetwork second = await TestNetwork.CreateAsync();
        await first.OnWireAsync("link", "add", "br0", "address", "02:90:00:00:00:fe", "type", "bridge");
        await first.OnWireAsync("addr", "add", "10.90.0.254/24", "dev", "br0");
        await first.OnWireAsync("link", "set", "br0", "up");
        (TestNetwork, string, string)[] ports = [(first, "p1", "10.90.0.1/24"), (second, "p2", "10.90.0.2/24")];
        foreach ((TestNetwork network, string port, string address) in ports)
        {
            await first.OnWireAsync("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", network.Pod);
            await first.OnWireAsync("link", "set", port, "master", "br0", "up");
            await network.InPodAsync("addr", "add", address, "dev", "eth0");
            await network.InPodAsync("link", "set", "eth0", "up");
        }

        string quiet = await _host.StartAsync(first);
        string loud = await _host.StartAsync(second, static bundle =>
        {
            foreach (string set in (string[])["bounding", "effective", "permitted"])
            {
                bundle.Process["capabilities"]![set]!.AsArray().Add("CAP_NET_ADMIN");
            }
        });
        Assert.Contains(" 0% packet loss", await _host.ShellAsync(loud, "ping -c 1 -W 5 10.90.0.254"), StringComparison.Ordinal);
        Task<CommandResult> noise = _host.ExecShellAsync(loud,
            """
            ip addr add 10.90.0.66/24 dev eth0
            for i in $(seq 1 20); do
                ip link set eth0 down
                ip link set eth0 address 02:66:00:00:00:$(printf %02x $i)
                ip link set eth0 up
                arping -U -c 1 -w 1 -I eth0 10.90.0.66 >/dev/null
                ping -c 1 -W 1 -I 10.90.0.66 10.90.0.254 >/dev/null
                timeout 1 sh -c 'while :; do dd if=/dev/zero bs=1400 count=200 2>/dev/null | nc -u -w 1 10.90.0.254 9; done' 2>/dev/null
            done
            true
            """);

        Assert.Contains(" 0% packet loss", await _host.ShellAsync(quiet, "ping -c 30 -i 0.5 -W 10 10.90.0.254"), StringComparison.Ordinal);
        (await noise).Ok();
        string neighbour = (await first.OnWireAsync("neigh", "show", "10.90.0.66")).Text;
        Assert.Contains("lladdr 02:66:00:00:00:", neighbour, StringComparison.Ordinal); // it was heard
        Assert.Contains(" 0% packet loss", await _host.ShellAsync(quiet, "ping -c 2 -W 5 10.90.0.254"), StringComparison.Ordinal);
        Assert.Contains("10.90.0.2/24", (await second.InPodAsync("addr", "show", "eth0")).Text, StringComparison.Ordinal);
        await _host.DeleteAsync(loud);
        await _host.DeleteAsync(quiet);
    }

    private static IEnumerable<string> RoutesTo(int first) => Enumerable.Range(0, Routes).Select(
        number => string.Create(CultureInfo.InvariantCulture, $"10.{first + (number / 256)}.{number % 256}.0/24 via 10.77.0.1"));

    private static async Task<CommandResult> LimitAsync(int pid, params string[] arguments)
    {
        const string User = "65534"; // the machine's own: without CAP_SYS_RESOURCE nobody else may
        string process = pid.ToString(CultureInfo.InvariantCulture);
        using RunningCommand limit = RunningCommand.Start(
            "/usr/bin/setpriv",
            ["--reuid", User, "--regid", User, "--clear-groups", "/usr/bin/prlimit", "--pid", process, .. arguments]);
        return (await limit.FinishAsync(default, RuntimeFixture.Limit)).Ok();
    }
}
