using System.Globalization;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>The qdiscs of a network namespace.</summary>
public sealed class QdiscOperations
{
    private readonly RequestChannel _channel;

    internal QdiscOperations(RequestChannel channel) => _channel = channel;

    /// <summary>The qdiscs.</summary>
    /// <param name="linkIndex">Of one link only; null for all.</param>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public IReadOnlyList<Qdisc> List(int? linkIndex = null)
    {
        var message = new MessageWriter(Rtnl.RTM_GETQDISC, Rtnl.NLM_F_DUMP);
        message.Structure(new TcMsg { tcm_ifindex = linkIndex ?? 0 });
        return _channel.List(
            new NetlinkRequest(message, "list the qdiscs", ""),
            answer => Qdisc.Read(answer) is { } qdisc && (linkIndex is null || qdisc.LinkIndex == linkIndex) ? qdisc : null);
    }

    /// <summary>Gives a link a qdisc, in the place of the one that it has by default.</summary>
    /// <exception cref="NetlinkException">
    /// The kernel refused: <see cref="NetlinkErrno.EEXIST"/> when there is one already, <see cref="NetlinkErrno.ENOENT"/> when it has no
    /// such kind.
    /// </exception>
    public void Add(Qdisc qdisc) =>
        Execute(qdisc, Rtnl.RTM_NEWQDISC, Rtnl.NLM_F_ACK | Rtnl.NLM_F_CREATE | Rtnl.NLM_F_EXCL, "add the qdisc");

    /// <summary>Gives a link an <c>ingress</c> qdisc, unless it has that or <c>clsact</c>, which has the same place.</summary>
    /// <returns>Whether it has been made.</returns>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public bool AddIngress(int linkIndex)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(linkIndex, 1);
        try
        {
            // By its name: without one the kernel takes a clsact away, with its filters, for an ingress.
            Add(new Qdisc
            {
                LinkIndex = linkIndex,
                Kind = PlainQdisc.Ingress,
                Handle = new TcHandle(TcHandle.Ingress.Major, 0),
                Parent = TcHandle.Ingress,
            });
            return true;
        }
        catch (NetlinkException error) when (error.Errno == NetlinkErrno.EEXIST)
        {
            return false;
        }
    }

    /// <summary>Gives a link a qdisc instead of the one that it has.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void Replace(Qdisc qdisc) =>
        Execute(qdisc, Rtnl.RTM_NEWQDISC, Rtnl.NLM_F_ACK | Rtnl.NLM_F_CREATE | Rtnl.NLM_F_REPLACE, "replace the qdisc");

    /// <summary>Takes a qdisc away, with its classes and filters.</summary>
    /// <exception cref="NetlinkException">The kernel refused: <see cref="NetlinkErrno.ENOENT"/> when there is none.</exception>
    public void Delete(Qdisc qdisc) => Execute(qdisc, Rtnl.RTM_DELQDISC, Rtnl.NLM_F_ACK, "delete the qdisc");

    private void Execute(Qdisc qdisc, ushort type, ushort flags, string operation)
    {
        ArgumentNullException.ThrowIfNull(qdisc);
        var message = new MessageWriter(type, flags);
        qdisc.Write(message);
        string subject = string.Create(CultureInfo.InvariantCulture, $"{qdisc.Kind.Name} of link {qdisc.LinkIndex}");
        _channel.Execute(new NetlinkRequest(message, operation, subject));
    }
}
