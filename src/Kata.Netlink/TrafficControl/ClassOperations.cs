using System.Globalization;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>The traffic classes of a network namespace.</summary>
public sealed class ClassOperations
{
    private readonly RequestChannel _channel;

    internal ClassOperations(RequestChannel channel) => _channel = channel;

    /// <summary>The classes of a link.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public IReadOnlyList<TrafficClass> List(int linkIndex)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(linkIndex, 1);
        var message = new MessageWriter(Rtnl.RTM_GETTCLASS, Rtnl.NLM_F_DUMP);
        message.Structure(new TcMsg { tcm_ifindex = linkIndex });
        return _channel.List(new NetlinkRequest(message, "list the classes of link", Number(linkIndex)), TrafficClass.Read);
    }

    /// <summary>Makes a class.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void Add(TrafficClass trafficClass) =>
        Execute(trafficClass, Rtnl.RTM_NEWTCLASS, Rtnl.NLM_F_ACK | Rtnl.NLM_F_CREATE | Rtnl.NLM_F_EXCL, "add the class");

    /// <summary>Makes a class, or gives one other settings.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void Replace(TrafficClass trafficClass) =>
        Execute(trafficClass, Rtnl.RTM_NEWTCLASS, Rtnl.NLM_F_ACK | Rtnl.NLM_F_CREATE | Rtnl.NLM_F_REPLACE, "replace the class");

    /// <summary>Removes a class: link and name decide.</summary>
    /// <exception cref="NetlinkException">The kernel refused: <see cref="NetlinkErrno.ENOENT"/> when there is none.</exception>
    public void Delete(TrafficClass trafficClass) => Execute(trafficClass, Rtnl.RTM_DELTCLASS, Rtnl.NLM_F_ACK, "delete the class");

    private void Execute(TrafficClass trafficClass, ushort type, ushort flags, string operation)
    {
        ArgumentNullException.ThrowIfNull(trafficClass);
        var message = new MessageWriter(type, flags);
        trafficClass.Write(message, isDeletion: type == Rtnl.RTM_DELTCLASS);
        string subject = $"{trafficClass.Handle} of link {Number(trafficClass.LinkIndex)}";
        _channel.Execute(new NetlinkRequest(message, operation, subject));
    }

    private static string Number(int index) => index.ToString(CultureInfo.InvariantCulture);
}
