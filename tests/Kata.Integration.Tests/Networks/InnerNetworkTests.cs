using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary>Networks that a container makes by itself in the guest, with tools that it brings: here the host's.</summary>
[Collection(ContainersGroup.Name)]
public sealed class InnerNetworkTests : IClassFixture<NetworkFixture>
{
    private readonly NetworkFixture _host;

    public InnerNetworkTests(NetworkFixture host)
    {
        RuntimeFixture.Require();
        _host = host;
    }

    [Fact]
    public async Task Links_OfAllKinds_AreMadeAndGo()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string pod = await StartAsync(network);

        string links = await ShellAsync(pod, """
            set -e
            ip link add br0 type bridge
            ip link add v0 type veth peer name v1
            ip link set v0 master br0
            ip link add link v1 name v1.10 type vlan id 10
            ip link add d0 type dummy
            ip link add link d0 name mac0 type macvlan
            ip link add link v1 name ipv0 type ipvlan
            ip link add vx0 type vxlan id 5 dev d0 dstport 4789
            ip link add bond7 type bond
            ip link add wg0 type wireguard
            ip link add gre0x type gretap remote 10.77.0.1
            ip tuntap add tap0 mode tap
            ip tuntap add tun0 mode tun
            busybox brctl addbr br1
            ip link add d1 type dummy
            busybox brctl addif br1 d1
            tc qdisc add dev d0 root netem delay 10ms
            ip -o link
            ss -tln
            """);

        Assert.All(
            (string[])["br0", "v0@v1", "v1.10@v1", "d0", "mac0@d0", "ipv0@v1", "vx0", "bond7", "wg0", "gre0x", "tap0", "tun0", "br1"],
            name => Assert.Contains($": {name}", links, StringComparison.Ordinal));
        string unknown = await ShellAsync(pod, "! ip link add x0 type nonsense 2>&1");
        Assert.Contains("Unknown device type", unknown, StringComparison.Ordinal);
        await ShellAsync(pod, "for link in br0 v0 d0 vx0 bond7 wg0 tap0 tun0 br1; do ip link del $link; done");
        Assert.Contains("0% packet loss", await ShellAsync(pod, "busybox ping -c 1 -W 5 10.77.0.1"), StringComparison.Ordinal);
        await _host.DeleteAsync(pod);
    }

    // As a container engine in a container does it.
    [Theory]
    [InlineData("iptables-nft -t nat -A POSTROUTING -s 10.5.0.0/24 -j MASQUERADE")]
    [InlineData("iptables-legacy -t nat -A POSTROUTING -s 10.5.0.0/24 -j MASQUERADE")]
    [InlineData("""
        nft add table ip t
        nft 'add chain ip t c { type nat hook postrouting priority 100; }'
        nft add rule ip t c ip saddr 10.5.0.0/24 masquerade
        """)]
    public async Task Network_WithinTheContainer_ReachesThePeerByTranslation(string rule)
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string pod = await StartAsync(network);

        string pings = await ShellAsync(pod, $$"""
            set -e
            {{rule}}
            turn=$(mktemp -d)
            export turn
            echo 1 > /proc/sys/net/ipv4/ip_forward
            ip link add br0 type bridge
            ip addr add 10.5.0.1/24 dev br0
            ip link set br0 up
            ip link add v0 type veth peer name v1
            ip link set v0 master br0 up
            unshare --net sh -c 'echo > $turn/ready; while [ ! -e $turn/moved ]; do sleep 0.05; done
                ip link set v1 up; ip addr add 10.5.0.2/24 dev v1; ip route add default via 10.5.0.1; busybox ping -c 2 -W 5 10.77.0.1' &
            while [ ! -e $turn/ready ]; do sleep 0.05; done
            ip link set v1 netns $!
            echo > $turn/moved
            wait $!
            """);

        Assert.Contains(" 0% packet loss", pings, StringComparison.Ordinal);
        await _host.DeleteAsync(pod);
    }

    // With the host's kernel these would be there because something else on the host has loaded what they belong to.
    [Fact]
    public async Task Setting_OfAModule_IsTheGuests()
    {
        string pod = await _host.StartSleeperAsync(static bundle => bundle.Linux["sysctl"] = new JsonObject
        {
            ["net.netfilter.nf_conntrack_max"] = "4711",
            ["net.bridge.bridge-nf-call-iptables"] = "1",
        });

        Assert.Equal("4711\n1", await _host.ShellAsync(
            pod, "cat /proc/sys/net/netfilter/nf_conntrack_max /proc/sys/net/bridge/bridge-nf-call-iptables"));
        await _host.DeleteAsync(pod);
    }

    // Not busybox's shell, which has commands of its own for the host's.
    private Task<string> ShellAsync(string pod, string script) => _host.ShellAsync(pod, $"""
        export PATH=/usr/sbin:/usr/bin:/sbin:/bin
        mkdir -p /run
        exec dash <<'SCRIPT'
        {script}
        SCRIPT
        """);

    private Task<string> StartAsync(TestNetwork network) => _host.StartAsync(network, static bundle =>
    {
        foreach (string set in (string[])["bounding", "effective", "permitted"])
        {
            foreach (string capability in (string[])["CAP_NET_ADMIN", "CAP_SYS_ADMIN"])
            {
                bundle.Process["capabilities"]![set]!.AsArray().Add((JsonNode)capability);
            }
        }

        foreach (string directory in (string[])["/usr", "/lib", "/lib64", "/etc/alternatives"])
        {
            bundle.Mount(directory, "bind", Path.GetFullPath(directory), "rbind", "ro");
        }

        bundle.Linux["devices"] = new JsonArray(new JsonObject
        {
            ["path"] = "/dev/net/tun", ["type"] = "c", ["major"] = 10, ["minor"] = 200, ["fileMode"] = 438,
        });
        bundle.Linux["resources"] = new JsonObject
        {
            ["devices"] = new JsonArray(
                new JsonObject { ["allow"] = false, ["access"] = "rwm" },
                new JsonObject { ["allow"] = true, ["type"] = "c", ["major"] = 10, ["minor"] = 200, ["access"] = "rwm" }),
        };
        bundle.Linux["maskedPaths"] = new JsonArray();
        bundle.Linux["readonlyPaths"] = new JsonArray();
    });
}
