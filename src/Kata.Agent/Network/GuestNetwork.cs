using Kata.Agent.Devices;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.Netlink;

namespace Kata.Agent.Network;

/// <summary>The guest's network: what the host says of interfaces, routes and neighbours. One change at a time. Thread-safe.</summary>
/// <param name="registry">Tells of cards that come.</param>
/// <param name="requireDriver">Has the kernel know such cards.</param>
internal sealed class GuestNetwork(DeviceRegistry registry, Action requireDriver) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Lazy<NetlinkSocket> _netlink = new(static () => new NetlinkSocket()); // a pod without a network has none

    /// <summary>Gives a card its name, addresses and size, and switches it on. Waits for one that is still to come.</summary>
    /// <returns>What it has then.</returns>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: a value makes no sense. NotFound: there is no driver.</exception>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public async Task<Interface> UpdateInterfaceAsync(Interface wanted, CancellationToken cancellationToken)
    {
        Link link = await CardAsync(wanted.HwAddr, cancellationToken);
        await _gate.WaitAsync(cancellationToken);
        try
        {
            InterfaceChange.Apply(Netlink, Netlink.Links.Get(link.Index), wanted); // as it is now that it is our turn
            return InterfaceMessages.Of(Netlink.Links.Get(link.Index), Netlink.Addresses.List(linkIndex: link.Index));
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Has the main table hold these routes, and of others only those that the kernel makes by itself.</summary>
    /// <returns>Those that there are then.</returns>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: a value makes no sense.</exception>
    /// <exception cref="NetlinkException">The kernel refused. Those before the refused one are there.</exception>
    public async Task<IReadOnlyList<Protocol.Route>> UpdateRoutesAsync(
        IReadOnlyCollection<Protocol.Route> wanted, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            IReadOnlyList<Link> links = Netlink.Links.List();
            RouteChange.Apply(Netlink, [.. wanted.Select(route => RouteMessages.Parse(route, links))]);
            return ListRoutes();
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Makes changes of all kinds. Waits for the cards that they are about.</summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: a value makes no sense. NotFound: there is no driver.</exception>
    /// <exception cref="NetlinkException">The kernel refused a change, the first of those; all others are made.</exception>
    /// <returns>The settings that the kernel refused, with its reasons.</returns>
    public async Task<IReadOnlyList<string>> ChangeAsync(ChangeNetworkRequest request, CancellationToken cancellationToken)
    {
        IReadOnlyList<RouteEvent> changes = NetworkChange.Read(request.Changes.Span);
        var links = new Dictionary<int, int>();
        foreach (NetworkInterface item in request.Interfaces)
        {
            links[item.Number] = item.HardwareAddress.Length == 0
                ? Netlink.Links.List().First(static link => link.Flags.HasFlag(LinkFlags.Loopback)).Index
                : (await CardAsync(item.HardwareAddress, cancellationToken)).Index;
        }

        await _gate.WaitAsync(cancellationToken);
        try
        {
            return new NetworkChange(Netlink, links).Apply(request.Interfaces, request.Settings, changes);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>All interfaces, the loopback too.</summary>
    public IReadOnlyList<Interface> ListInterfaces()
    {
        IReadOnlyList<InterfaceAddress> addresses = Netlink.Addresses.List();
        return [.. Netlink.Links.List().Select(link => InterfaceMessages.Of(link, addresses.Where(item => item.LinkIndex == link.Index)))];
    }

    /// <summary>The routes of the main table.</summary>
    public IReadOnlyList<Protocol.Route> ListRoutes()
    {
        IReadOnlyList<Link> links = Netlink.Links.List();
        return [.. Netlink.Routes.List(table: RouteTables.Main).Select(route => RouteMessages.Of(route, links))];
    }

    /// <summary>Adds neighbours, or replaces those of the same address.</summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: a value makes no sense.</exception>
    /// <exception cref="NetlinkException">The kernel refused one.</exception>
    public void AddNeighbours(IEnumerable<ARPNeighbor> neighbours)
    {
        IReadOnlyList<Link> links = Netlink.Links.List();
        foreach (Neighbour neighbour in neighbours.Select(neighbour => InterfaceMessages.Parse(neighbour, links)))
        {
            Netlink.Neighbours.Replace(neighbour);
        }
    }

    public void Dispose()
    {
        if (_netlink.IsValueCreated)
        {
            _netlink.Value.Dispose();
        }

        _gate.Dispose();
    }

    private NetlinkSocket Netlink => _netlink.Value;

    private async Task<Link> CardAsync(string hardwareAddress, CancellationToken cancellationToken)
    {
        LinkAddress address = LinkAddress.TryParse(hardwareAddress, out LinkAddress parsed)
            ? parsed
            : throw AgentException.Invalid($"'{hardwareAddress}' is no hardware address: it is what an interface is found by");
        requireDriver();
        return await registry.WaitAsync("net", () => InterfaceMessages.Find(Netlink.Links.List(), address), cancellationToken);
    }
}
