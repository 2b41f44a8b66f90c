using System.Globalization;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>The filters of a network namespace.</summary>
public sealed class FilterOperations
{
    private readonly RequestChannel _channel;

    internal FilterOperations(RequestChannel channel) => _channel = channel;

    /// <summary>The filters of a link in the order of their priorities. <c>u32</c> lists its tables, too: without actions.</summary>
    /// <param name="linkIndex">The link.</param>
    /// <param name="parent">What they hang on, as <see cref="TcHandle.IngressFilters"/>.</param>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public IReadOnlyList<TrafficFilter> List(int linkIndex, TcHandle parent)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(linkIndex, 1);
        var message = new MessageWriter(Rtnl.RTM_GETTFILTER, Rtnl.NLM_F_DUMP);
        message.Structure(new TcMsg { tcm_ifindex = linkIndex, tcm_parent = parent.Value });
        string subject = string.Create(CultureInfo.InvariantCulture, $"{linkIndex}");
        return _channel.List(new NetlinkRequest(message, "list the filters of link", subject), TrafficFilter.Read);
    }

    /// <summary>Makes a filter.</summary>
    /// <exception cref="NetlinkException">
    /// The kernel refused: <see cref="NetlinkErrno.ENOENT"/> when it has no such kind, <see cref="NetlinkErrno.EINVAL"/> when the link has
    /// no qdisc for it.
    /// </exception>
    public void Add(TrafficFilter filter) =>
        Execute(filter, Rtnl.RTM_NEWTFILTER, Rtnl.NLM_F_ACK | Rtnl.NLM_F_CREATE | Rtnl.NLM_F_EXCL, "add the filter");

    /// <summary>Removes a filter as it was listed; with a <see cref="TrafficFilter.Handle"/> of 0 all of its priority.</summary>
    /// <exception cref="NetlinkException">The kernel refused: <see cref="NetlinkErrno.ENOENT"/> when there is none.</exception>
    public void Delete(TrafficFilter filter) => Execute(filter, Rtnl.RTM_DELTFILTER, Rtnl.NLM_F_ACK, "delete the filter");

    /// <summary>
    /// Everything that comes in by one link is sent by another, and goes nowhere else. The link gets an <c>ingress</c> qdisc if it has
    /// neither that nor <c>clsact</c>; the filter is a <see cref="TrafficFilter.MatchAll"/>, or a <see cref="TrafficFilter.U32"/> where the
    /// kernel has no such. Filters that are there already stay, and those of a lower priority number go first. For both directions call it
    /// twice; deleting the qdisc undoes it.
    /// </summary>
    /// <param name="from">The index of the link that packets come in by.</param>
    /// <param name="to">The index of the link that they are sent by.</param>
    /// <param name="priority">The filter's; 0 leaves it to the kernel, which has it go before others that were left to it.</param>
    /// <exception cref="NetlinkException">The kernel refused. The qdisc may have been made.</exception>
    public void Redirect(int from, int to, ushort priority = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(from, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(to, 1);
        new QdiscOperations(_channel).AddIngress(from);
        var filter = new TrafficFilter
        {
            LinkIndex = from,
            Parent = TcHandle.IngressFilters,
            Priority = priority,
            Actions = [new MirredAction { TargetIndex = to }],
        };
        try
        {
            Add(filter);
        }
        catch (NetlinkException error) when (error.Errno == NetlinkErrno.ENOENT)
        {
            Add(filter with { Kind = TrafficFilter.U32 });
        }
    }

    private void Execute(TrafficFilter filter, ushort type, ushort flags, string operation)
    {
        ArgumentNullException.ThrowIfNull(filter);
        var message = new MessageWriter(type, flags);
        filter.Write(message, isDeletion: type == Rtnl.RTM_DELTFILTER);
        string subject = string.Create(CultureInfo.InvariantCulture, $"{filter.Kind} of link {filter.LinkIndex}");
        _channel.Execute(new NetlinkRequest(message, operation, subject));
    }
}
