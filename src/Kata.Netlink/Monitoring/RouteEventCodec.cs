using System.Buffers;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>
/// Events as bytes, to keep them or to send them to another machine of the same byte order: rtnetlink messages one after another, as
/// <c>ip route save</c> writes them.
/// </summary>
public static class RouteEventCodec
{
    /// <summary>Writes events of addresses, routes, rules and neighbours.</summary>
    /// <exception cref="ArgumentException">An event is of another kind, or a record holds what no message can.</exception>
    public static byte[] Encode(IEnumerable<RouteEvent> events)
    {
        ArgumentNullException.ThrowIfNull(events);
        var bytes = new ArrayBufferWriter<byte>();
        foreach (RouteEvent item in events)
        {
            bytes.Write(Write(item).Finish(sequence: 0));
        }

        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Reads events; those of what the library does not know are left out.</summary>
    /// <param name="messages">They are not trusted.</param>
    /// <exception cref="NetlinkProtocolException">They make no sense.</exception>
    public static IReadOnlyList<RouteEvent> Decode(ReadOnlySpan<byte> messages)
    {
        var events = new List<RouteEvent>();
        var reader = new MessageReader(messages);
        while (reader.Read(out NetlinkMessage message))
        {
            if (RouteEvent.Read(message) is { } item)
            {
                events.Add(item);
            }
        }

        return events;
    }

    private static MessageWriter Write(RouteEvent item)
    {
        (ushort type, Action<MessageWriter> write) = item switch
        {
            AddressEvent e => (e.IsDeleted ? Rtnl.RTM_DELADDR : Rtnl.RTM_NEWADDR, e.Address.Write),
            RouteChangeEvent e => (
                e.IsDeleted ? Rtnl.RTM_DELROUTE : Rtnl.RTM_NEWROUTE, message => e.Route.Write(message, isDeletion: false)),
            RuleEvent e => (e.IsDeleted ? Rtnl.RTM_DELRULE : Rtnl.RTM_NEWRULE, e.Rule.Write),
            NeighbourEvent e => (e.IsDeleted ? Rtnl.RTM_DELNEIGH : Rtnl.RTM_NEWNEIGH, (Action<MessageWriter>)e.Neighbour.Write),
            _ => throw new ArgumentException($"Cannot write a {item?.GetType().Name}: only events of addresses, routes, rules, neighbours"),
        };
        var message = new MessageWriter(type, flags: 0);
        write(message);
        return message;
    }
}
