using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary><c>kata-cni</c> at the end of chains of Debian's plugins, called as an engine calls them.</summary>
[Collection(ContainersGroup.Name)]
public sealed class CniTests : IClassFixture<NetworkFixture>
{
    private const int Kill = 9;
    private const int Stop = 19;
    private const int Continue = 18;

    private readonly NetworkFixture _host;

    public CniTests(NetworkFixture host)
    {
        RuntimeFixture.Require();
        CniChain.Require();
        Assert.SkipWhen(EngineNetwork.Problem is not null, EngineNetwork.Problem ?? ""); // for ipMasq
        _host = host;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Chain_BeforeAPodAndWhileItRuns_IsTheGuestsWhenItReturns()
    {
        await using TestNetwork network = await TestNetwork.CreateAsync();
        var first = CniChain.Bridge(network, _host, 61, "eth0");
        var second = CniChain.Bridge(network, _host, 62, "eth1");
        string empty = await network.StateAsync();
        (await first.AddAsync()).Ok(); // there is no pod yet
        string pod = await _host.StartAsync(network);
        Assert.Contains(" 0% packet loss", await _host.ShellAsync(pod, "ping -c 1 -W 5 10.61.0.1"), StringComparison.Ordinal);
        await first.CheckAsync();
        string before = await network.StateAsync();

        (await second.AddAsync()).Ok();
        string seen = await _host.ShellAsync(pod, "ip addr show eth1; ip route");
        Assert.Contains("10.62.0.2/24", seen, StringComparison.Ordinal);
        Assert.Contains("mtu 1400", seen, StringComparison.Ordinal); // of the plugin between
        Assert.Contains("10.162.0.0/16 via 10.62.0.1 dev eth1", seen, StringComparison.Ordinal);
        Assert.Contains(" 0% packet loss", await _host.ShellAsync(pod, "ping -c 1 -W 5 10.62.0.1"), StringComparison.Ordinal);
        JsonNode result = second.Result!;
        Assert.Equal(CniChain.Version, result["cniVersion"]!.ToString());
        Assert.Equal("10.62.0.2/24", result["ips"]![0]!["address"]!.ToString());
        await second.CheckAsync();

        // Somebody changes the namespace, and the guest with it.
        await network.InPodAsync("addr", "del", "10.62.0.2/24", "dev", "eth1");
        await network.InPodAsync("addr", "add", "10.62.0.77/24", "dev", "eth1");
        AssertError(
            await second.OursAsync("CHECK"), 102, "'eth1' does not have the address '10.62.0.2/24' in the guest; it has '10.62.0.77/24'");
        await network.InPodAsync("addr", "del", "10.62.0.77/24", "dev", "eth1"); // the bridge plugin would take it for its own
        await network.InPodAsync("addr", "add", "10.62.0.2/24", "dev", "eth1");
        Assert.Equal("", (await second.OursAsync("CHECK")).Ok().Text); // at once: it waits for the guest

        for (int time = 1; time <= 2; time++)
        {
            await second.DeleteAsync();
        }

        await _host.UntilAsync(pod, "ip link", "eth1", there: false);
        await network.UntilStateAsync(before);
        AssertError(await second.OursAsync("CHECK"), 101, "has none of that name");
        await first.CheckAsync();
        await _host.DeleteAsync(pod);
        await first.DeleteAsync();
        Assert.Equal(empty, await network.StateAsync());
    }

    [Theory]
    [InlineData("ptp")]
    [InlineData("macvlan")]
    public async Task Chain_OfAnotherKindOfLink_IsTheGuests(string type)
    {
        await using TestNetwork network = await TestNetwork.CreateAsync();
        await network.BatchOnWireAsync("link add up0 type veth peer name up1", "link set up0 up", "link set up1 up");
        if (type == "macvlan")
        {
            await network.OnWireAsync("addr", "add", "10.68.0.1/24", "dev", "up1"); // else the plugin's own
        }

        string empty = await network.StateAsync();
        var link = new JsonObject
        {
            ["type"] = type,
            ["ipam"] = new JsonObject
            {
                ["type"] = "host-local",
                ["dataDir"] = $"{_host.DirectoryPath}/leases-{type}",
                ["ranges"] = new JsonArray(new JsonArray(new JsonObject { ["subnet"] = "10.68.0.0/24" })),
                ["routes"] = new JsonArray(new JsonObject { ["dst"] = "0.0.0.0/0" }),
            },
        };
        if (type == "macvlan")
        {
            link["master"] = "up0";
        }

        var chain = new CniChain(
            network, _host.DirectoryPath, $"net-{type}", "eth0", link,
            new JsonObject { ["type"] = "tuning", ["mac"] = "02:68:00:00:00:07", ["mtu"] = 1300 },
            new JsonObject { ["type"] = "firewall" }, CniChain.OfKata(_host));
        (await chain.AddAsync()).Ok();
        string pod = await _host.StartAsync(network);
        string seen = await _host.ShellAsync(pod, "ip addr show eth0; ip route");
        Assert.Contains("10.68.0.2/24", seen, StringComparison.Ordinal);
        Assert.Contains("mtu 1300", seen, StringComparison.Ordinal);
        Assert.Contains("02:68:00:00:00:07", seen, StringComparison.Ordinal);
        Assert.Contains("default via 10.68.0.1 dev eth0", seen, StringComparison.Ordinal);
        Assert.Contains(" 0% packet loss", await _host.ShellAsync(pod, "ping -c 1 -W 5 10.68.0.1"), StringComparison.Ordinal);
        await chain.CheckAsync();
        await _host.DeleteAsync(pod);
        await chain.DeleteAsync();
        Assert.Equal(empty, await network.StateAsync());
    }

    // Those that a plugin sets before the pod and while it runs; what the container's specification says holds.
    [Fact]
    public async Task Chain_WithSysctlsAndFlags_TheyAreTheGuestsUnlessTheContainerHasItsOwn()
    {
        await using TestNetwork network = await TestNetwork.CreateAsync();
        var first = CniChain.Bridge(network, _host, 66, "eth0", Tuning(
            ("net.core.somaxconn", "500"), ("net.ipv4.tcp_rmem", "4096 65536 99999"), ("net.ipv4.conf.IFNAME.arp_filter", "1"),
            ("net.ipv4.ip_default_ttl", "77"), ("net.ipv6.conf.all.disable_ipv6", "1")));
        var second = CniChain.Bridge(network, _host, 67, "eth1", Tuning(
            ("net.ipv4.conf.IFNAME.arp_ignore", "2"), ("net.ipv4.ip_default_ttl", "99"), ("net.core.somaxconn", "600")));
        (await first.AddAsync()).Ok();
        string pod = await _host.StartAsync(
            network, static bundle => bundle.Linux["sysctl"] = new JsonObject { ["net.ipv4.ip_default_ttl"] = "55" });
        const string Look = "cd /proc/sys/net; cat core/somaxconn ipv4/tcp_rmem ipv4/conf/eth0/arp_filter ipv4/ip_default_ttl "
            + "ipv6/conf/eth0/disable_ipv6 ipv6/conf/lo/disable_ipv6";
        Assert.Equal(["500", "4096", "65536", "99999", "1", "55", "1", "1"], Words(await _host.ShellAsync(pod, Look)));
        string link = await _host.ShellAsync(pod, "ip link show eth0; ip addr show eth0");
        Assert.Equal("0x1303", await _host.ShellAsync(pod, "cat /sys/class/net/eth0/flags")); // with IFF_PROMISC and IFF_ALLMULTI
        Assert.Contains("mtu 1400", link, StringComparison.Ordinal);
        Assert.DoesNotContain("inet6", link, StringComparison.Ordinal);
        Assert.Contains(" 0% packet loss", await _host.ShellAsync(pod, "ping -c 1 -W 5 10.66.0.1"), StringComparison.Ordinal);

        (await second.AddAsync()).Ok();
        Assert.Equal(
            ["600", "2", "55"],
            Words(await _host.ShellAsync(
                pod, "cd /proc/sys/net; cat core/somaxconn ipv4/conf/eth1/arp_ignore ipv4/ip_default_ttl")));
        await second.DeleteAsync();
        await _host.DeleteAsync(pod);
        await first.DeleteAsync();

        static IEnumerable<KeyValuePair<string, JsonNode?>> Tuning(params (string Name, string Value)[] settings) =>
        [
            new("promisc", true),
            new("allmulti", true),
            new("sysctl", new JsonObject(settings.Select(static item => KeyValuePair.Create(item.Name, (JsonNode?)item.Value)))),
        ];

        static string[] Words(string text) => text.Split((char[])['\n', '\t', ' '], StringSplitOptions.RemoveEmptyEntries);
    }

    [Fact]
    public async Task Check_SomebodyInTheGuestChangesIt_SaysWhat()
    {
        await using TestNetwork network = await TestNetwork.CreateAsync();
        var chain = CniChain.Bridge(network, _host, 63, "eth0");
        (await chain.AddAsync()).Ok();
        string pod = await _host.StartAsync(network, static bundle =>
        {
            foreach (string set in (string[])["bounding", "effective", "permitted"])
            {
                bundle.Process["capabilities"]![set]!.AsArray().Add("CAP_NET_ADMIN");
            }
        });
        Assert.Equal("", (await chain.OursAsync("CHECK")).Ok().Text);
        await _host.ShellAsync(pod, "ip addr del 10.63.0.2/24 dev eth0; ip addr add 10.63.0.9/24 dev eth0");
        AssertError(
            await chain.OursAsync("CHECK"), 102, "'eth0' does not have the address '10.63.0.2/24' in the guest; it has '10.63.0.9/24'");
        await _host.DeleteAsync(pod);
        await chain.DeleteAsync();
    }

    [Fact]
    public async Task Chains_AtOnce_AreAllTheGuestsAndLeaveNothing()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string pod = await _host.StartAsync(network);
        string before = await network.StateAsync();
        CniChain[] chains = [.. Enumerable.Range(0, 4).Select(number => CniChain.Bridge(network, _host, 70 + number, $"net{number}"))];
        foreach (CommandResult result in await Task.WhenAll(chains.Select(static chain => chain.AddAsync())))
        {
            result.Ok();
        }

        string seen = await _host.ShellAsync(pod, "ip -o -4 addr");
        Assert.All(Enumerable.Range(0, 4), number => Assert.Contains(
            $"net{number}    inet 10.{70 + number}.0.2/24", seen, StringComparison.Ordinal));
        await Task.WhenAll(chains.Select(static chain => chain.CheckAsync()));
        await Task.WhenAll(chains.Select(static chain => chain.DeleteAsync()));
        await _host.UntilAsync(pod, "ip link", "net", there: false);
        await network.UntilStateAsync(before);
        await _host.DeleteAsync(pod);
    }

    [Fact]
    public async Task Add_InterfaceThatNoGuestCanHave_IsRefusedBeforeAndWhileAPodRuns()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        await network.InPodAsync("tuntap", "add", "dev", "tun7", "mode", "tun");
        await network.InPodAsync("addr", "add", "10.64.0.2/24", "dev", "tun7");
        string before = await network.StateAsync();
        var chain = new CniChain(network, _host.DirectoryPath, "tuns", "tun7", CniChain.OfKata(_host))
        {
            Result = new JsonObject
            {
                ["interfaces"] = new JsonArray(new JsonObject { ["name"] = "tun7", ["sandbox"] = network.Path }),
            },
        };
        const string Reason =
            "Cannot give the interface 'tun7' to a guest: it is a tun without Ethernet frames, and a guest's card carries nothing else";
        AssertError(await chain.OursAsync("ADD"), 100, Reason);
        string pod = await _host.StartAsync(network);
        AssertError(await chain.OursAsync("ADD"), 100, Reason);
        await _host.DeleteAsync(pod);
        await network.UntilStateAsync(before);
    }

    [Fact]
    public async Task Kill_DuringAnAdd_LeavesNothing()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string pod = await _host.StartAsync(network);
        string before = await network.StateAsync();
        int machine = _host.Snapshot().Processes.Single(
            process => process.Command.Contains($"guest=sandbox-{pod},", StringComparison.Ordinal)).Pid;
        var chain = CniChain.Bridge(network, _host, 65, "eth1");
        HostProcess.Signal(machine, Stop); // the guest cannot take the card
        await chain.AddOthersAsync();
        using (RunningCommand add = chain.StartOurs("ADD"))
        {
            await add.Input.WriteAsync(chain.Configuration(CniChain.OfKata(_host)), Cancellation);
            add.Input.Close();
            await Task.Delay(TimeSpan.FromSeconds(1), Cancellation);
            Assert.False(add.HasExited); // it waits for the guest
            HostProcess.Signal(add.Pid, Kill);
            Assert.NotEqual(0, await add.ExitAsync(RuntimeFixture.Limit));
        }

        HostProcess.Signal(machine, Continue);
        await chain.DeleteAsync();
        await _host.UntilAsync(pod, "ip link", "eth1", there: false);
        await network.UntilStateAsync(before);
        (await chain.AddAsync()).Ok(); // and it can be again
        Assert.Contains("10.65.0.", await _host.ShellAsync(pod, "ip addr show eth1"), StringComparison.Ordinal);
        await chain.DeleteAsync();
        await _host.DeleteAsync(pod);
    }

    [Fact]
    public async Task Status_WherePodsCanStart_IsQuiet()
    {
        string name = Path.Combine(_host.NewDirectory("cni"), "kata-cni");
        File.CreateSymbolicLink(name, RuntimeFixture.RuntimePath!);
        using RunningCommand status = RunningCommand.Start("/usr/bin/env", ["CNI_COMMAND=STATUS", name]);
        CommandResult result = await status.FinishAsync(
            RuntimeFixture.Bytes($$"""{"cniVersion":"1.1.0","name":"n","configuration":"{{_host.ConfigurationFile}}"}"""),
            RuntimeFixture.Limit);
        Assert.Equal("", result.Ok().Text);
    }

    private static void AssertError(CommandResult result, int code, string text)
    {
        Assert.Equal(1, result.ExitCode);
        JsonNode document = JsonNode.Parse(result.Text)!;
        Assert.Equal(code, (int)document["code"]!);
        Assert.Contains(text, document["msg"]!.ToString(), StringComparison.Ordinal);
    }
}
