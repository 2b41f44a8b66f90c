using System.Globalization;
using Kata.Agent.Protocol;
using Kata.Netlink;

namespace Kata.Agent.Network;

/// <summary>Interfaces and neighbours as the host's messages have them.</summary>
internal static class InterfaceMessages
{
    /// <summary>The link of a hardware address; null when there is none.</summary>
    public static Link? Find(IEnumerable<Link> links, LinkAddress address) =>
        links.FirstOrDefault(link => link.Address == address && !link.Flags.HasFlag(LinkFlags.Loopback));

    /// <summary>The link of a name.</summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: there is none.</exception>
    public static Link Named(IEnumerable<Link> links, string name) =>
        links.FirstOrDefault(link => link.Name == name) ?? throw AgentException.Invalid($"the guest has no interface '{name}'");

    public static Interface Of(Link link, IEnumerable<InterfaceAddress> addresses) => new()
    {
        Device = link.Name,
        Name = link.Name,
        Mtu = link.Mtu,
        HwAddr = link.Address.ToString(),
        RawFlags = (uint)link.Flags,
        Type = link.Kind?.Name ?? "",
        IPAddresses = { addresses.Select(static address => Of(address.Local)) },
    };

    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: it is none.</exception>
    public static IPPrefix Parse(Protocol.IPAddress address) => IPPrefix.TryParse($"{address.Address}/{address.Mask}", out IPPrefix prefix)
        ? prefix
        : throw AgentException.Invalid($"'{address.Address}' with the prefix length '{address.Mask}' is no address");

    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: a value makes no sense.</exception>
    public static Neighbour Parse(ARPNeighbor neighbour, IEnumerable<Link> links)
    {
        string address = neighbour.ToIPAddress?.Address ?? "";
        if (!System.Net.IPAddress.TryParse(address, out System.Net.IPAddress? parsed))
        {
            throw AgentException.Invalid($"'{address}' is no address of a neighbour");
        }

        if (!LinkAddress.TryParse(neighbour.Lladdr, out LinkAddress hardware))
        {
            throw AgentException.Invalid($"'{neighbour.Lladdr}' is no hardware address of a neighbour");
        }

        return new Neighbour
        {
            LinkIndex = Named(links, neighbour.Device).Index,
            Address = parsed,
            LinkAddress = hardware,
            State = neighbour.State == 0 ? NeighbourState.Permanent : (NeighbourState)neighbour.State,
            Flags = (NeighbourFlags)neighbour.Flags,
        };
    }

    private static Protocol.IPAddress Of(IPPrefix prefix) => new()
    {
        Family = prefix.Family == Netlink.IPFamily.IPv6 ? Protocol.IPFamily.V6 : Protocol.IPFamily.V4,
        Address = prefix.Address.ToString(),
        Mask = prefix.Length.ToString(CultureInfo.InvariantCulture),
    };
}
