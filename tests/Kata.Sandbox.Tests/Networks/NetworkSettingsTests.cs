using Kata.Agent.Protocol.Extension;
using Kata.Agent.Specifications;
using Kata.Netlink;
using Kata.Network;
using Kata.Testing;
using NetworkChange = Kata.Agent.Network.NetworkChange;

namespace Kata.Sandbox.Tests;

/// <summary>
/// Sysctls of a network namespace of the host, and those of one in the place of the guest's, in the running kernel: what is set in the one
/// is said to the other.
/// </summary>
public sealed class NetworkSettingsTests : IAsyncDisposable
{
    private const string Eth0 = "net/ipv6/conf/eth0/disable_ipv6";

    private readonly TestNetwork _host = TestNetwork.Create();
    private readonly TestNetwork _guest = TestNetwork.Create();
    private readonly NetworkNamespace _space;
    private readonly Link _link;
    private NamespaceSettings? _settings;
    private NetworkState _told = NetworkState.Initial;
    private readonly int _number;

    public NetworkSettingsTests()
    {
        _link = _host.AddPair("eth0", "peer0");
        _guest.AddPair("dummy0", "dummy1"); // numbers of its own
        _number = _guest.AddPair("eth0", "peer0").Index;
        _guest.Run($"ip link set eth0 down; ip link set eth0 address {_link.Address}; ip link set eth0 up");
        _space = NetworkNamespace.Open($"/proc/self/fd/{_host.Handle.DangerousGetHandle()}", mountNamespace: null);
    }

    public static TheoryData<string, string> Changes => new()
    {
        { "true", "" },
        { "echo 1 > net/ipv4/ip_forward", "net/ipv4/ip_forward net/ipv4/conf/eth0/forwarding net/ipv4/conf/default/forwarding" },
        { "echo 1 > net/ipv6/conf/all/disable_ipv6", $"{Eth0} net/ipv6/conf/lo/disable_ipv6 net/ipv6/conf/all/disable_ipv6" },
        { $"echo 1 > net/ipv6/conf/all/disable_ipv6; echo 0 > {Eth0}", $"{Eth0} net/ipv6/conf/lo/disable_ipv6" },
        { "echo 1 > net/ipv6/conf/all/forwarding; echo 0 > net/ipv6/conf/eth0/forwarding", "net/ipv6/conf/eth0/forwarding" },
        { "echo 1 > net/ipv4/conf/eth0/arp_notify", "net/ipv4/conf/eth0/arp_notify" },
        { "echo 77 > net/ipv4/neigh/eth0/locktime", "net/ipv4/neigh/eth0/locktime" },
        { "echo '4096 8192 99999' > net/ipv4/tcp_rmem; echo 999 > net/core/somaxconn", "net/ipv4/tcp_rmem net/core/somaxconn" },
        { "echo '20000 30000' > net/ipv4/ip_local_port_range", "net/ipv4/ip_local_port_range" },
        { "echo 5 > net/ipv4/conf/lo/arp_ignore 2>/dev/null || echo 1 > net/ipv4/conf/lo/arp_ignore", "net/ipv4/conf/lo/arp_ignore" },
    };

    public async ValueTask DisposeAsync()
    {
        await (_settings?.EndAsync() ?? Task.CompletedTask);
        _space.Dispose();
        _host.Dispose();
        _guest.Dispose();
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task Between_WhatSomebodySets_IsTheSameInTheGuestAndIsSetBack(string script, string paths)
    {
        string[] all = paths.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Dictionary<string, string> before = Values(_guest, all);
        Set(_host, script);
        Assert.Equal(all.Length > 0 ? 1 : 0, (await TellAsync()).Count(static item => item.Settings.Count > 0));
        Assert.Equal(Values(_host, all), Values(_guest, all));
        Assert.DoesNotContain(await TellAsync(), static item => item.Settings.Count > 0);

        foreach ((string path, string value) in before)
        {
            Set(_host, $"echo '{value}' > {path}");
        }

        await TellAsync();
        Assert.Equal(before, Values(_guest, all));
    }

    [Fact]
    public async Task Between_OfAllLinksAfterOnesOwn_OnesOwnIsSaidAgain()
    {
        Set(_host, $"echo 1 > net/ipv6/conf/all/disable_ipv6; echo 1 > {Eth0}");
        await TellAsync();
        Set(_host, $"echo 0 > net/ipv6/conf/all/disable_ipv6; echo 1 > {Eth0}");
        await TellAsync();
        Assert.Equal("1", Values(_guest, Eth0)[Eth0]);
        Assert.Equal("0", Values(_guest, "net/ipv6/conf/lo/disable_ipv6").Values.Single());
    }

    // The kernel does not tell; a link that is new is looked at without being asked.
    [Fact]
    public async Task AddTo_ChangeWithoutNewLinks_IsSeenWhenAskedFor()
    {
        await TellAsync();
        Set(_host, "echo 1 > net/ipv4/conf/eth0/arp_notify");
        Assert.Empty((await ReadAsync(again: false)).Settings);
        _host.AddPair("eth1", "peer1");
        Set(_host, "echo 1 > net/ipv4/conf/eth1/arp_notify");
        Assert.Equal("net/ipv4/conf/eth1/arp_notify", Assert.Single((await ReadAsync(again: false)).Settings).Path);
        Assert.Equal(2, (await ReadAsync(again: true)).Settings.Count);
    }

    [Fact]
    public async Task Between_LinkThatTheGuestHasNot_SaysNothingOfIt()
    {
        Set(_host, "echo 1 > net/ipv4/conf/peer0/arp_notify");
        Assert.DoesNotContain(await TellAsync(), static item => item.Settings.Count > 0);
    }

    // Those of name servers of docker's go out by ports that are ours to choose.
    [Fact]
    public async Task AddTo_PortsThatWeChose_AreNotTheGuests()
    {
        const string Range = "net/ipv4/ip_local_port_range";
        Set(_host, $"echo '20000 30000' > {Range}");
        await TellAsync();
        Set(_host, $"echo '61440 65535' > {Range}");
        Assert.Equal("20000\t30000", Assert.Single((await ReadAsync(again: true)).Settings).Value);
    }

    [Fact]
    public void Follow_WhatTheGuestHasNotOrRefuses_IsPassedOverOrSaid()
    {
        IReadOnlyList<string> refused = Apply(
            [], Setting("net/ipv4/not_there", "1"), Setting("net/ipv6/conf/nobody/forwarding", "1"),
            Setting("net/ipv4/ip_forward", "not a number"), Setting("net/ipv4/ip_forward", "1"));
        Assert.StartsWith("net/ipv4/ip_forward: ", Assert.Single(refused));
        Assert.Equal("1", Values(_guest, "net/ipv4/ip_forward").Values.Single());
    }

    [Theory]
    [InlineData("kernel/hostname")]
    [InlineData("net/ipv4/../../kernel/hostname")]
    [InlineData("net/netfilter/nf_conntrack_max")]
    [InlineData("net/ipv4//ip_forward")]
    [InlineData("/net/ipv4/ip_forward")]
    [InlineData("")]
    public void Follow_WhatIsNoneOfTheNetwork_IsRefusedAndNothingIsSet(string path)
    {
        Grpc.Core.RpcException error = Assert.Throws<Grpc.Core.RpcException>(
            () => Apply([], Setting("net/ipv4/ip_forward", "1"), Setting(path, "1")));
        Assert.Contains("it is none of the network's", error.Status.Detail);
        Assert.Equal("0", Values(_guest, "net/ipv4/ip_forward").Values.Single());
    }

    [Fact]
    public void Follow_WhatAContainerHasSet_IsLeft()
    {
        const string Path = "net/ipv4/icmp_ratemask";
        _guest.Inside(() =>
        {
            NetworkSysctl.Set("net.ipv4.icmp_ratemask", "77");
            return true;
        });
        Assert.Empty(Apply([], Setting(Path, "88")));
        Assert.Equal("77", Values(_guest, Path)[Path]);
    }

    private static NetworkSetting Setting(string path, string value) => new() { Path = path, Value = value };

    private static void Set(TestNetwork network, string script) => network.Run($"cd /proc/sys; {script}");

    private static Dictionary<string, string> Values(TestNetwork network, params string[] paths) => network.Inside(
        () => paths.ToDictionary(static path => path, static path => File.ReadAllText("/proc/sys/" + path).Trim()));

    private async Task<IReadOnlyList<ChangeNetworkRequest>> TellAsync()
    {
        NetworkState state = NetworkState.Of(
            await ReadAsync(again: true), [new EndpointPlan(_link.Index, "eth0", _link.Address, _link.Mtu)]);
        IReadOnlyList<ChangeNetworkRequest> requests = NetworkDifference.Between(_told, _told, state);
        foreach (ChangeNetworkRequest request in requests)
        {
            Assert.Empty(Apply(request.Interfaces, [.. request.Settings]));
        }

        _told = state;
        return requests;
    }

    private async Task<HostNetwork> ReadAsync(bool again)
    {
        var network = HostNetwork.Read(_space);
        _settings ??= NamespaceSettings.Begin(_space, network);
        return await _settings.AddToAsync(network, again);
    }

    private IReadOnlyList<string> Apply(IReadOnlyList<NetworkInterface> interfaces, params NetworkSetting[] settings) => _guest.Inside(() =>
        new NetworkChange(_guest.Socket, new Dictionary<int, int> { [1] = 1, [_link.Index] = _number }).Apply(interfaces, settings, []));
}
