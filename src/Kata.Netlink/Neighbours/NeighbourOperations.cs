using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>The neighbours of a network namespace.</summary>
public sealed class NeighbourOperations : NeighbourChanges
{
    private readonly RequestChannel _channel;

    internal NeighbourOperations(IRequestSink sink, RequestChannel channel) : base(sink) => _channel = channel;

    /// <summary>The neighbours that are known.</summary>
    /// <param name="family">Of one family only, or <see cref="IPFamily.Any"/>.</param>
    /// <param name="linkIndex">On one link only; null for all.</param>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public IReadOnlyList<Neighbour> List(IPFamily family = IPFamily.Any, int? linkIndex = null) =>
        List(family, linkIndex, NeighbourFlags.None, "list the neighbours");

    /// <summary>The neighbours that this host answers for.</summary>
    /// <inheritdoc cref="List(IPFamily,int?)"/>
    public IReadOnlyList<Neighbour> ListProxies(IPFamily family = IPFamily.Any, int? linkIndex = null) =>
        List(family, linkIndex, NeighbourFlags.Proxy, "list the proxied neighbours");

    private IReadOnlyList<Neighbour> List(IPFamily family, int? linkIndex, NeighbourFlags flags, string operation)
    {
        var message = new MessageWriter(Rtnl.RTM_GETNEIGH, Rtnl.NLM_F_DUMP);
        message.Structure(new NdMsg { ndm_family = (byte)family, ndm_flags = (byte)flags });
        return _channel.List(
            new NetlinkRequest(message, operation, ""),
            answer => Neighbour.Read(answer) is { } neighbour
                && (linkIndex is null || neighbour.LinkIndex == linkIndex) ? neighbour : null);
    }
}
