using System.Diagnostics.CodeAnalysis;
using System.Net;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

public sealed partial record Route
{
    private const double ClockTicksPerSecond = 100; // USER_HZ, the same on all architectures of ours

    [SetsRequiredMembers]
    private Route(RtMsg header, AttributeReader attributes)
    {
        var family = (IPFamily)header.rtm_family;
        IPAddress? destination = null;
        IPAddress? source = null;
        Table = header.rtm_table;
        Type = (RouteType)header.rtm_type;
        Scope = (RouteScope)header.rtm_scope;
        Protocol = (RouteProtocol)header.rtm_protocol;
        TypeOfService = header.rtm_tos;
        Flags = (RouteFlags)header.rtm_flags;
        while (attributes.Read(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Rtnl.RTA_DST:
                    destination = attribute.Address();
                    break;
                case Rtnl.RTA_SRC:
                    source = attribute.Address();
                    break;
                case Rtnl.RTA_GATEWAY:
                    Gateway = attribute.Address();
                    break;
                case Rtnl.RTA_VIA:
                    Gateway = RouteNextHop.ReadVia(attribute);
                    break;
                case Rtnl.RTA_OIF:
                    LinkIndex = attribute.Int32();
                    break;
                case Rtnl.RTA_MULTIPATH:
                    NextHops = RouteNextHop.ReadAll(attribute.Value);
                    break;
                case Rtnl.RTA_NH_ID:
                    NextHopId = attribute.UInt32();
                    break;
                case Rtnl.RTA_PREFSRC:
                    PreferredSource = attribute.Address();
                    break;
                case Rtnl.RTA_TABLE:
                    Table = attribute.UInt32();
                    break;
                case Rtnl.RTA_PRIORITY:
                    Metric = attribute.UInt32();
                    break;
                case Rtnl.RTA_METRICS:
                    Metrics = RouteMetrics.Read(attribute);
                    break;
                case Rtnl.RTA_PREF:
                    Preference = (RoutePreference)attribute.Byte();
                    break;
                case Rtnl.RTA_EXPIRES:
                    ExpiresIn = TimeSpan.FromSeconds(attribute.UInt32());
                    break;
                case Rtnl.RTA_CACHEINFO:
                    int ticks = attribute.Structure<RtaCacheInfo>().rta_expires;
                    ExpiresIn = ticks == 0 ? ExpiresIn : TimeSpan.FromSeconds(ticks / ClockTicksPerSecond);
                    break;
            }
        }

        Destination = Prefixes.Read(destination ?? IPAddressFamily.Unspecified(family), header.rtm_family, header.rtm_dst_len);
        Source = source is null ? null : Prefixes.Read(source, header.rtm_family, header.rtm_src_len);
    }

    /// <summary>The route of a message; null when it is of none, or of another family than IP.</summary>
    /// <exception cref="NetlinkProtocolException">The message makes no sense.</exception>
    internal static Route? Read(NetlinkMessage message)
    {
        RtMsg header = message.Header<RtMsg>();
        return message.Type is Rtnl.RTM_NEWROUTE or Rtnl.RTM_DELROUTE && IPAddressFamily.IsKnown(header.rtm_family)
            ? new Route(header, message.Attributes<RtMsg>()) : null;
    }

    /// <param name="message">Has its header.</param>
    /// <param name="isDeletion">Whether what is not given does not matter; else it gets what a new route has.</param>
    internal void Write(MessageWriter message, bool isDeletion)
    {
        IPFamily family = Destination.Family;
        message.Structure(new RtMsg
        {
            rtm_family = (byte)family,
            rtm_dst_len = (byte)Destination.Length,
            rtm_src_len = (byte)(Source?.Length ?? 0),
            rtm_tos = TypeOfService,
            rtm_table = Table <= byte.MaxValue ? (byte)Table : (byte)0,
            rtm_protocol = (byte)(Protocol ?? (isDeletion ? RouteProtocol.Unspecified : RouteProtocol.Boot)),
            rtm_scope = (byte)(Scope ?? (isDeletion ? RouteScope.Nowhere : UsualScope)),
            rtm_type = (byte)Type,
            rtm_flags = (uint)(Flags & RouteFlags.Onlink),
        });
        if (Destination.Length > 0)
        {
            message.Address(Rtnl.RTA_DST, Destination.Address);
        }

        if (Source is { } source)
        {
            message.Address(Rtnl.RTA_SRC, Prefixes.OfSameFamily(source.Address, Destination, nameof(Source))!);
        }

        if (Gateway is { } gateway)
        {
            RouteNextHop.WriteGateway(message, gateway, family);
        }

        if (Prefixes.OfSameFamily(PreferredSource, Destination, nameof(PreferredSource)) is { } preferred)
        {
            message.Address(Rtnl.RTA_PREFSRC, preferred);
        }

        message.Int32(Rtnl.RTA_OIF, LinkIndex);
        message.UInt32(Rtnl.RTA_TABLE, Table);
        message.UInt32(Rtnl.RTA_PRIORITY, Metric);
        message.UInt32(Rtnl.RTA_NH_ID, NextHopId);
        Metrics?.Write(message);
        WriteNextHops(message, family);
        if (Preference is { } preference)
        {
            message.Byte(Rtnl.RTA_PREF, (byte)preference);
        }

        // To delete a route the time does not matter, and the kernel has gone on counting it.
        if (ExpiresIn is { } time && !isDeletion)
        {
            message.UInt32(Rtnl.RTA_EXPIRES, (uint)Math.Clamp(time.TotalSeconds, 1, uint.MaxValue));
        }
    }

    private RouteScope UsualScope => Type switch
    {
        RouteType.Local => RouteScope.Host,
        RouteType.Broadcast or RouteType.Multicast or RouteType.Anycast => RouteScope.Link,
        RouteType.Unicast when Gateway is null && NextHopId is null && NextHops.All(static hop => hop.Gateway is null) => RouteScope.Link,
        _ => RouteScope.Universe,
    };

    private void WriteNextHops(MessageWriter message, IPFamily family)
    {
        if (NextHops.Count == 0)
        {
            return;
        }

        int hops = message.BeginPlain(Rtnl.RTA_MULTIPATH);
        foreach (RouteNextHop hop in NextHops)
        {
            hop.Write(message, family);
        }

        message.End(hops);
    }
}
