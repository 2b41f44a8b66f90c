using Kata.Agent.Network;
using Kata.Agent.Protocol;
using Kata.Netlink;
using Kata.Testing;

namespace Kata.Agent.Tests;

/// <summary>A network namespace in the place of the guest's, with two cards, <c>eth0</c> and <c>eth1</c>, that are up.</summary>
internal sealed class GuestCards : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10);

    public GuestCards()
    {
        // The kernel makes and tells of addresses of IPv6 by itself, some time later.
        Write("default/addr_gen_mode", "1");
        Eth0 = Network.AddPair("eth0", "peer0").Index;
        Eth1 = Network.AddPair("eth1", "peer1").Index;
    }

    public TestNetwork Network { get; } = TestNetwork.Create();

    public NetlinkSocket Socket => Network.Socket;

    public int Eth0 { get; }

    public int Eth1 { get; }

    public Link Link(int index) => Socket.Links.Get(index);

    public string NameOf(int index) => Link(index).Name;

    /// <summary>What the host sends for a card, with addresses like 10.0.0.1/24.</summary>
    public Interface Wanted(int index, string name, params string[] addresses) => new()
    {
        Name = name,
        HwAddr = Link(index).Address.ToString(),
        IPAddresses =
        {
            addresses.Select(static address => address.Split('/'))
                .Select(static parts => new IPAddress { Address = parts[0], Mask = parts[1] }),
        },
    };

    public void Apply(int index, Interface wanted) => InterfaceChange.Apply(Socket, Link(index), wanted);

    /// <summary>What the host sends of routes: the main table is to have these.</summary>
    public void Apply(params Protocol.Route[] wanted)
    {
        IReadOnlyList<Link> links = Socket.Links.List();
        RouteChange.Apply(Socket, [.. wanted.Select(route => RouteMessages.Parse(route, links))]);
    }

    public string[] Addresses(int index) =>
        [.. Socket.Addresses.List(linkIndex: index).Select(static address => address.Local.ToString())];

    /// <summary>The main table as <c>ip</c> has it, without what the kernel made by itself.</summary>
    public string[] Routes(string family = "-4") =>
    [
        .. Network.Run($"ip {family} route show").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(static line => !line.Contains("proto kernel", StringComparison.Ordinal))
            .Select(static line => line.Replace(" pref medium", "", StringComparison.Ordinal).Trim()),
    ];

    /// <summary>What the kernel tells of while something is done, but for what it does later by itself.</summary>
    public List<RouteEvent> EventsOf(RouteGroups groups, Action work)
    {
        Settle();
        using RouteEventReader reader = Network.Inside(() => new RouteEventReader(groups));
        work();
        var events = new List<RouteEvent>();
        while (reader.TryRead(out RouteEvent? item))
        {
            events.Add(item);
        }

        return events;
    }

    // That a link works, and that an address of IPv6 can be used, the kernel finds out and tells when it has the time.
    private void Settle()
    {
        Assert.True(SpinWait.SpinUntil(
            () => Socket.Links.List().All(static link => link.OperState is LinkOperState.Up or LinkOperState.Unknown)
                && Socket.Addresses.List(Netlink.IPFamily.IPv6)
                    .Select(static address => IPPrefix.OfHost(address.Local.Address))
                    .All(Socket.Routes.List(Netlink.IPFamily.IPv6, RouteTables.Local).Select(static route => route.Destination).Contains),
            s_limit));
        Socket.Links.SetUp(Eth0); // waits until it has also told what can be seen already
    }

    private void Write(string setting, string value) => Network.Inside(() =>
    {
        File.WriteAllText($"/proc/sys/net/ipv6/conf/{setting}", value);
        return true;
    });

    public void Dispose() => Network.Dispose();

    /// <summary>A route as the host's messages have it.</summary>
    public static Protocol.Route Route(string destination, string gateway = "", string device = "eth0", string source = "") => new()
    {
        Dest = destination,
        Gateway = gateway,
        Device = device,
        Source = source,
        Scope = gateway.Length == 0 && !destination.Contains(':') ? (uint)RouteScope.Link : 0,
        Family = (destination + gateway).Contains(':') ? Protocol.IPFamily.V6 : Protocol.IPFamily.V4,
    };
}
