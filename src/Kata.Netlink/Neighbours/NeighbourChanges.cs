using System.Globalization;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>
/// Changes of neighbours: at once by <see cref="NetlinkSocket.Neighbours"/>, later by <see cref="NetlinkBatch.Neighbours"/>.
/// </summary>
public class NeighbourChanges
{
    private readonly IRequestSink _sink;

    internal NeighbourChanges(IRequestSink sink) => _sink = sink;

    /// <summary>Makes a neighbour known.</summary>
    /// <exception cref="NetlinkException">The kernel refused: <see cref="NetlinkErrno.EEXIST"/> when it is known.</exception>
    public void Add(Neighbour neighbour) =>
        Submit(neighbour, Rtnl.RTM_NEWNEIGH, Rtnl.NLM_F_ACK | Rtnl.NLM_F_CREATE | Rtnl.NLM_F_EXCL, "add the neighbour");

    /// <summary>Makes a neighbour known, or other things known of it.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void Replace(Neighbour neighbour) =>
        Submit(neighbour, Rtnl.RTM_NEWNEIGH, Rtnl.NLM_F_ACK | Rtnl.NLM_F_CREATE | Rtnl.NLM_F_REPLACE, "replace the neighbour");

    /// <summary>Forgets a neighbour; with <see cref="NeighbourFlags.Proxy"/> this host answers for it no longer.</summary>
    /// <exception cref="NetlinkException">The kernel refused: <see cref="NetlinkErrno.ENOENT"/> when it is not known.</exception>
    public void Delete(Neighbour neighbour) => Submit(neighbour, Rtnl.RTM_DELNEIGH, Rtnl.NLM_F_ACK, "delete the neighbour");

    private void Submit(Neighbour neighbour, ushort type, ushort flags, string operation)
    {
        ArgumentNullException.ThrowIfNull(neighbour);
        var message = new MessageWriter(type, flags);
        neighbour.Write(message);
        string subject = string.Create(CultureInfo.InvariantCulture, $"{neighbour.Address} of link {neighbour.LinkIndex}");
        _sink.Submit(new NetlinkRequest(message, operation, subject));
    }
}
