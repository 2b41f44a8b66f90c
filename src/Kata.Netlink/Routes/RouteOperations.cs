using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>The routes of a network namespace.</summary>
public sealed class RouteOperations : RouteChanges
{
    private readonly RequestChannel _channel;

    internal RouteOperations(IRequestSink sink, RequestChannel channel) : base(sink) => _channel = channel;

    /// <summary>The routes, without those that the kernel has cached.</summary>
    /// <param name="family">Of one family only, or <see cref="IPFamily.Any"/>.</param>
    /// <param name="table">Of one table only, as <see cref="RouteTables.Main"/>; null for all, also the kernel's own.</param>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public IReadOnlyList<Route> List(IPFamily family = IPFamily.Any, uint? table = null)
    {
        // Tables are told apart here: the kernel could, but refuses to list one that has never had a route.
        var message = new MessageWriter(Rtnl.RTM_GETROUTE, Rtnl.NLM_F_DUMP);
        message.Structure(new RtMsg { rtm_family = (byte)family });
        return _channel.List(
            new NetlinkRequest(message, "list the routes", ""),
            answer => Route.Read(answer) is { } route && (table is null || route.Table == table)
                && (route.Flags & RouteFlags.Cloned) == 0 ? route : null);
    }
}
