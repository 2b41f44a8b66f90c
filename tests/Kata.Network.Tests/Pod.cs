using Kata.Netlink;
using Kata.Testing;

namespace Kata.Network.Tests;

/// <summary>
/// A pod's network namespace with an interface <c>eth0</c>, 10.0.0.2/24, whose other end, 10.0.0.1/24, is in a second namespace.
/// </summary>
internal sealed class Pod : IDisposable
{
    public const string Address = "10.0.0.2", PeerAddress = "10.0.0.1";

    public Pod(uint mtu = 1400)
    {
        Network = TestNetwork.Create();
        Peer = TestNetwork.Create();
        Space = Open(Network);
        Network.Socket.Links.Add(new LinkSettings
        {
            Name = "eth0",
            Mtu = mtu,
            Kind = new VethKind { Peer = new LinkSettings { Name = "peer0", NetworkNamespace = Peer.Handle } },
        });
        SetUp(Peer, "peer0", PeerAddress);
        SetUp(Network, "eth0", Address);
    }

    public TestNetwork Network { get; }

    public TestNetwork Peer { get; }

    /// <summary>The pod's namespace as the code under test has it.</summary>
    public NetworkNamespace Space { get; }

    /// <summary>Of <c>eth0</c>.</summary>
    public EndpointPlan Plan => Assert.Single(NetworkPlanner.Plan(HostNetwork.Read(Space), out _), static plan => plan.Name == "eth0");

    /// <summary>Qdiscs and filters, as <c>tc</c> has them; but for by which of its names somebody has called the parent last.</summary>
    public string TrafficControl => Network.Run(
        "tc qdisc show; for side in ingress egress; do tc filter show dev eth0 $side || true; done 2>/dev/null")
        .Replace("filter parent ffff: ", "filter ", StringComparison.Ordinal)
        .Replace("filter ingress ", "filter ", StringComparison.Ordinal);

    /// <summary>The names of the links.</summary>
    public string[] Links => [.. Network.Socket.Links.List().Select(static link => link.Name)];

    public static NetworkNamespace Open(TestNetwork network) =>
        NetworkNamespace.Open($"/proc/self/fd/{network.Handle.DangerousGetHandle()}", mountNamespace: null);

    public void Dispose()
    {
        Space.Dispose();
        Peer.Dispose();
        Network.Dispose();
    }

    // Neither end is to say more than the test has it say.
    private static void SetUp(TestNetwork network, string name, string address)
    {
        network.Inside(() =>
        {
            File.WriteAllText($"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "1");
            return true;
        });
        int index = network.Socket.Links.Get(name).Index;
        network.Socket.Links.SetUp(index);
        network.Socket.Addresses.Add(new InterfaceAddress { LinkIndex = index, Local = IPPrefix.Parse($"{address}/24") });
    }
}
