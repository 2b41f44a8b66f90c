using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>Something that happened in a network namespace.</summary>
public abstract record RouteEvent
{
    private protected RouteEvent()
    {
    }

    /// <summary>What a message tells; null for what the library does not know.</summary>
    /// <exception cref="NetlinkProtocolException">The message makes no sense.</exception>
    internal static RouteEvent? Read(NetlinkMessage message) => message.Type switch
    {
        Rtnl.RTM_NEWLINK or Rtnl.RTM_DELLINK when Link.Read(message) is { } link =>
            new LinkEvent(message.Type == Rtnl.RTM_DELLINK, link),
        Rtnl.RTM_NEWADDR or Rtnl.RTM_DELADDR when InterfaceAddress.Read(message) is { } address =>
            new AddressEvent(message.Type == Rtnl.RTM_DELADDR, address),
        Rtnl.RTM_NEWROUTE or Rtnl.RTM_DELROUTE when Route.Read(message) is { } route =>
            new RouteChangeEvent(message.Type == Rtnl.RTM_DELROUTE, route),
        Rtnl.RTM_NEWRULE or Rtnl.RTM_DELRULE when RoutingRule.Read(message) is { } rule =>
            new RuleEvent(message.Type == Rtnl.RTM_DELRULE, rule),
        Rtnl.RTM_NEWNEIGH or Rtnl.RTM_DELNEIGH when Neighbour.Read(message) is { } neighbour =>
            new NeighbourEvent(message.Type == Rtnl.RTM_DELNEIGH, neighbour),
        _ => null,
    };
}
