using System.Globalization;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>Changes of routes: at once by <see cref="NetlinkSocket.Routes"/>, later by <see cref="NetlinkBatch.Routes"/>.</summary>
public class RouteChanges
{
    private readonly IRequestSink _sink;

    internal RouteChanges(IRequestSink sink) => _sink = sink;

    /// <summary>Makes a route.</summary>
    /// <exception cref="NetlinkException">
    /// The kernel refused: <see cref="NetlinkErrno.EEXIST"/> when there is one to that destination with that metric.
    /// </exception>
    public void Add(Route route) =>
        Submit(route, Rtnl.RTM_NEWROUTE, Rtnl.NLM_F_ACK | Rtnl.NLM_F_CREATE | Rtnl.NLM_F_EXCL, "add the route");

    /// <summary>Makes a route instead of the one to that destination with that metric, if there is one.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void Replace(Route route) =>
        Submit(route, Rtnl.RTM_NEWROUTE, Rtnl.NLM_F_ACK | Rtnl.NLM_F_CREATE | Rtnl.NLM_F_REPLACE, "replace the route");

    /// <summary>Makes a route behind those to that destination; for IPv6 one more way of them.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void Append(Route route) =>
        Submit(route, Rtnl.RTM_NEWROUTE, Rtnl.NLM_F_ACK | Rtnl.NLM_F_CREATE | Rtnl.NLM_F_APPEND, "append the route");

    /// <summary>
    /// Removes the first route that has this destination, table and type, and what else is given: metric, gateway, link, scope and so on.
    /// </summary>
    /// <exception cref="NetlinkException">The kernel refused: <see cref="NetlinkErrno.ESRCH"/> when there is no such route.</exception>
    public void Delete(Route route) => Submit(route, Rtnl.RTM_DELROUTE, Rtnl.NLM_F_ACK, "delete the route");

    private void Submit(Route route, ushort type, ushort flags, string operation)
    {
        ArgumentNullException.ThrowIfNull(route);
        var message = new MessageWriter(type, flags);
        route.Write(message, isDeletion: type == Rtnl.RTM_DELROUTE);
        string via = route.Gateway is { } gateway ? $" via {gateway}" : "";
        string table = route.Table == RouteTables.Main ? "" : string.Create(CultureInfo.InvariantCulture, $" of table {route.Table}");
        _sink.Submit(new NetlinkRequest(message, operation, $"{route.Destination}{via}{table}"));
    }
}
