using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary>What pods have of each other, on one bridge and across nodes.</summary>
[Collection(ContainersGroup.Name)]
public sealed class PodToPodTests : IClassFixture<NetworkFixture>
{
    private readonly NetworkFixture _host;

    public PodToPodTests(NetworkFixture host)
    {
        RuntimeFixture.Require();
        _host = host;
    }

    [Fact]
    public async Task TwentyPods_OnOneBridge_ReachEachOther()
    {
        const int Count = 20, AtOnce = 4;
        var networks = new List<TestNetwork>();
        try
        {
            for (int number = 1; number <= Count; number++)
            {
                networks.Add(await TestNetwork.CreateAsync());
                await PlugAsync(networks[0], networks[^1], number);
            }

            string[][] started = await Task.WhenAll(networks.Chunk(Count / AtOnce).Select(StartInTurnAsync));
            string[] pods = [.. started.SelectMany(static item => item)];
            for (int number = 1; number <= Count; number++)
            {
                string next = Address((number % Count) + 1);
                string pings = await _host.ShellAsync(pods[number - 1], $"ping -c 2 -W 5 {next}");
                Assert.True(pings.Contains(" 0% packet loss", StringComparison.Ordinal), $"pod {number}: {pings}");
            }

            foreach (string pod in pods)
            {
                await _host.DeleteAsync(pod);
            }
        }
        finally
        {
            foreach (TestNetwork network in networks)
            {
                await network.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task Groups_OfBothProtocols_HearEachOther()
    {
        await using TestNetwork first = await TestNetwork.CreateAsync();
        await using TestNetwork second = await TestNetwork.CreateAsync();
        await PlugAsync(first, first, 1);
        await PlugAsync(first, second, 2);
        string one = await _host.StartAsync(first, AnswerGroups), two = await _host.StartAsync(second, AnswerGroups);

        string answers = await _host.ShellAsync(one, "ping -c 3 -W 5 -I eth0 224.0.0.1; ping -6 -c 3 -W 5 -I eth0 ff02::1");

        Assert.Contains($"from {Address(2)}:", answers, StringComparison.Ordinal);
        Assert.Contains($"from {await LinkLocalAsync(two)}", answers, StringComparison.Ordinal);
        await _host.DeleteAsync(one);
        await _host.DeleteAsync(two);
    }

    [Fact]
    public async Task User_WithoutPrivileges_Pings()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string pod = await _host.StartSleeperAsync(bundle =>
        {
            NetworkFixture.Network(bundle, network.Path);
            bundle.Linux["sysctl"] = new JsonObject { ["net.ipv4.ping_group_range"] = "0 2147483647" }; // docker's and podman's
            foreach (string directory in (string[])["/usr", "/lib", "/lib64"])
            {
                bundle.Mount(directory, "bind", Path.GetFullPath(directory), "rbind", "ro");
            }
        });

        // As ping(8) does it without CAP_NET_RAW, which busybox's does not: a datagram socket of ICMP, echo request and reply.
        CommandResult result = await _host.RunAsync("exec", "--user", "1000:1000", pod, "/usr/bin/perl", "-MSocket", "-e", """
            alarm 20;
            socket(my $socket, PF_INET, SOCK_DGRAM, 1) or die "socket: $!";
            send($socket, pack("CCnnn", 8, 0, 0, 0, 1) . "data", 0, pack_sockaddr_in(0, inet_aton("10.77.0.1"))) or die "send: $!";
            recv($socket, my $answer, 1500, 0) // die "recv: $!";
            print ord($answer), substr($answer, 8);
            """);

        Assert.Equal("0data", result.Ok().Text);
        await _host.DeleteAsync(pod);
    }

    // Two network namespaces that forward, each with a bridge for its pods, and a link between them.
    [Fact]
    public async Task Pods_OfTwoNodes_ReachEachOtherByRoutes()
    {
        await using TestNetwork first = await TestNetwork.CreateAsync();
        await using TestNetwork second = await TestNetwork.CreateAsync();
        await first.OnWireAsync("link", "add", "uplink", "type", "veth", "peer", "name", "uplink", "netns", second.Wire);
        await ConnectAsync(first, own: 1, other: 2);
        await ConnectAsync(second, own: 2, other: 1);
        string directory = _host.NewDirectory("www");
        byte[] content = RandomNumberGenerator.GetBytes(4 << 20);
        await File.WriteAllBytesAsync(Path.Combine(directory, "file"), content, TestContext.Current.CancellationToken);
        string one = await _host.StartAsync(first);
        string two = await _host.StartAsync(second, bundle => bundle.Mount("/www", "bind", directory, "bind"));
        await _host.ShellAsync(two, "httpd -p '[::]:8080' -h /www");

        string sum = Convert.ToHexStringLower(SHA256.HashData(content));
        Assert.StartsWith(
            sum, await _host.ShellAsync(one, "wget -q -O - http://10.2.0.2:8080/file | sha256sum"), StringComparison.Ordinal);
        Assert.StartsWith(
            sum, await _host.ShellAsync(one, "wget -q -O - 'http://[fd02::2]:8080/file' | sha256sum"), StringComparison.Ordinal);
        // Both nodes forwarded it.
        Assert.Contains("ttl=62", await _host.ShellAsync(one, "ping -c 1 -W 5 10.2.0.2"), StringComparison.Ordinal);
        Assert.Contains("ttl=62", await _host.ShellAsync(two, "ping -c 1 -W 5 fd01::2"), StringComparison.Ordinal);
        await _host.DeleteAsync(one);
        await _host.DeleteAsync(two);
    }

    private static string Address(int number) => string.Create(CultureInfo.InvariantCulture, $"10.90.0.{number}");

    private static void AnswerGroups(TestBundle bundle) =>
        bundle.Linux["sysctl"] = new JsonObject { ["net.ipv4.icmp_echo_ignore_broadcasts"] = "0" };

    // The bridge is in the one's other namespace.
    private static async Task PlugAsync(TestNetwork bridge, TestNetwork pod, int number)
    {
        if (number == 1)
        {
            await bridge.OnWireAsync("link", "add", "br0", "type", "bridge", "mcast_snooping", "0");
            await bridge.OnWireAsync("link", "set", "br0", "up");
        }

        string port = string.Create(CultureInfo.InvariantCulture, $"p{number}");
        await bridge.OnWireAsync("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", pod.Pod);
        await bridge.OnWireAsync("link", "set", port, "master", "br0", "up");
        await pod.InPodAsync("addr", "add", Address(number) + "/24", "dev", "eth0");
        await pod.InPodAsync("link", "set", "eth0", "up");
    }

    private static async Task ConnectAsync(TestNetwork node, int own, int other)
    {
        string[] commands =
        [
            "link add br0 type bridge", "link set br0 up", $"addr add 10.{own}.0.1/24 dev br0", $"addr add fd0{own}::1/64 dev br0 nodad",
            $"link add p1 type veth peer name eth0 netns {node.Pod}", "link set p1 master br0 up",
            $"addr add 192.168.9.{own}/24 dev uplink", $"addr add fd09::{own}/64 dev uplink nodad", "link set uplink up",
            $"route add 10.{other}.0.0/24 via 192.168.9.{other}", $"route add fd0{other}::/64 via fd09::{other}",
        ];
        await node.BatchOnWireAsync(commands);
        using RunningCommand forward = node.StartOnWire(
            "/usr/bin/busybox", "sysctl", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
        (await forward.FinishAsync(default, RuntimeFixture.Limit)).Ok();
        await node.BatchInPodAsync(
            $"addr add 10.{own}.0.2/24 dev eth0", $"addr add fd0{own}::2/64 dev eth0 nodad", "link set eth0 up",
            $"route add default via 10.{own}.0.1", $"route add default via fd0{own}::1");
    }

    private async Task<string[]> StartInTurnAsync(TestNetwork[] networks)
    {
        var pods = new List<string>();
        foreach (TestNetwork network in networks)
        {
            pods.Add(await _host.StartAsync(network));
        }

        return [.. pods];
    }

    private async Task<string> LinkLocalAsync(string pod) =>
        (await _host.ShellAsync(pod, "ip -o -6 addr show dev eth0 scope link | tr -s ' ' | cut -d ' ' -f 4 | cut -d / -f 1")).Trim();
}
