using Kata.Netlink.Interop;

namespace Kata.Netlink.Tests;

/// <summary>Everything that the library reads from a datagram of the kernel, as records. The fuzz target is the same.</summary>
internal static class NetlinkMessages
{
    /// <summary>Reads a datagram to its end, and gives each message to every reader that may meet it.</summary>
    /// <exception cref="NetlinkProtocolException">It makes no sense.</exception>
    public static List<object> Read(ReadOnlySpan<byte> datagram)
    {
        var records = new List<object>();
        var messages = new MessageReader(datagram);
        while (messages.Read(out NetlinkMessage message))
        {
            object? record = message.Type switch
            {
                Rtnl.NLMSG_ERROR or Rtnl.NLMSG_DONE => Acknowledgement.Read(message),
                Rtnl.RTM_NEWQDISC or Rtnl.RTM_DELQDISC => Qdisc.Read(message),
                Rtnl.RTM_NEWTCLASS or Rtnl.RTM_DELTCLASS => TrafficClass.Read(message),
                Rtnl.RTM_NEWTFILTER or Rtnl.RTM_DELTFILTER => TrafficFilter.Read(message),
                Rtnl.RTM_NEWNSID => NamespaceId.Read(message),
                _ => RouteEvent.Read(message),
            };
            if (record is not null)
            {
                records.Add(record);
            }
        }

        return records;
    }
}
