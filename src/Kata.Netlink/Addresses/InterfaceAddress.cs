using System.Diagnostics.CodeAnalysis;
using System.Net;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>An IP address of a link: as it is to be, or as it is read.</summary>
public sealed record InterfaceAddress
{
    private const uint Forever = uint.MaxValue;

    /// <summary>Link and address have to be given.</summary>
    public InterfaceAddress()
    {
    }

    [SetsRequiredMembers]
    private InterfaceAddress(IfAddrMsg header, AttributeReader attributes)
    {
        LinkIndex = (int)header.ifa_index;
        Scope = (RouteScope)header.ifa_scope;
        Flags = (AddressFlags)header.ifa_flags;
        IPAddress? local = null;
        IPAddress? address = null;
        while (attributes.Read(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Rtnl.IFA_LOCAL:
                    local = attribute.Address();
                    break;
                case Rtnl.IFA_ADDRESS:
                    address = attribute.Address();
                    break;
                case Rtnl.IFA_BROADCAST:
                    Broadcast = attribute.Address();
                    break;
                case Rtnl.IFA_LABEL:
                    Label = attribute.Text();
                    break;
                case Rtnl.IFA_FLAGS:
                    Flags = (AddressFlags)attribute.UInt32();
                    break;
                case Rtnl.IFA_RT_PRIORITY:
                    RoutePriority = attribute.UInt32();
                    break;
                case Rtnl.IFA_CACHEINFO:
                    IfaCacheInfo lifetimes = attribute.Structure<IfaCacheInfo>();
                    ValidLifetime = Lifetime(lifetimes.ifa_valid);
                    PreferredLifetime = Lifetime(lifetimes.ifa_prefered);
                    break;
            }
        }

        Local = Prefixes.Read(local ?? address ?? throw new NetlinkProtocolException("an address has no address"), header);
        Peer = local is not null && address is not null && !local.Equals(address) ? Prefixes.Read(address, header).Address : null;
    }

    /// <summary>The index of its link.</summary>
    public required int LinkIndex { get; init; }

    /// <summary>The address, and how long the prefix is that is reached by the link; with a <see cref="Peer"/> it is the peer's.</summary>
    public required IPPrefix Local { get; init; }

    /// <summary>The other end of a point-to-point link; null for none.</summary>
    public IPAddress? Peer { get; init; }

    /// <summary>IPv4: the address of everybody on the link. The kernel does not make one by itself.</summary>
    public IPAddress? Broadcast { get; init; }

    /// <summary>How far away it is good for.</summary>
    public RouteScope Scope { get; init; }

    /// <summary>IPv4: the link's name, or that with a suffix; the kernel takes the link's name for null.</summary>
    public string? Label { get; init; }

    /// <summary>Its flags.</summary>
    public AddressFlags Flags { get; init; }

    /// <summary>The metric of the route to its prefix; null leaves it to the kernel.</summary>
    public uint? RoutePriority { get; init; }

    /// <summary>How long it lasts, in whole seconds; null for ever.</summary>
    public TimeSpan? ValidLifetime { get; init; }

    /// <summary>How long it is used for new connections, in whole seconds; null for ever.</summary>
    public TimeSpan? PreferredLifetime { get; init; }

    /// <summary>The address of a message; null when it is of none, or of another family than IP.</summary>
    /// <exception cref="NetlinkProtocolException">The message makes no sense.</exception>
    internal static InterfaceAddress? Read(NetlinkMessage message)
    {
        IfAddrMsg header = message.Header<IfAddrMsg>();
        return message.Type is Rtnl.RTM_NEWADDR or Rtnl.RTM_DELADDR && IPAddressFamily.IsKnown(header.ifa_family)
            ? new InterfaceAddress(header, message.Attributes<IfAddrMsg>()) : null;
    }

    internal void Write(MessageWriter message)
    {
        message.Structure(new IfAddrMsg
        {
            ifa_family = (byte)Local.Family,
            ifa_prefixlen = (byte)Local.Length,
            ifa_flags = (byte)Flags,
            ifa_scope = (byte)Scope,
            ifa_index = (uint)LinkIndex,
        });
        message.Address(Rtnl.IFA_LOCAL, Local.Address);
        message.Address(Rtnl.IFA_ADDRESS, Prefixes.OfSameFamily(Peer, Local, nameof(Peer)) ?? Local.Address);
        if (Prefixes.OfSameFamily(Broadcast, Local, nameof(Broadcast)) is { } broadcast)
        {
            message.Address(Rtnl.IFA_BROADCAST, broadcast);
        }

        if (Label is { } label)
        {
            message.Text(Rtnl.IFA_LABEL, label);
        }

        message.UInt32(Rtnl.IFA_FLAGS, (uint)Flags);
        message.UInt32(Rtnl.IFA_RT_PRIORITY, RoutePriority);
        if (ValidLifetime is not null || PreferredLifetime is not null)
        {
            message.AttributeOf(
                Rtnl.IFA_CACHEINFO,
                new IfaCacheInfo { ifa_valid = Seconds(ValidLifetime), ifa_prefered = Seconds(PreferredLifetime) });
        }
    }

    private static TimeSpan? Lifetime(uint seconds) => seconds == Forever ? null : TimeSpan.FromSeconds(seconds);

    private static uint Seconds(TimeSpan? lifetime) => lifetime is { } time ? (uint)Math.Clamp(time.TotalSeconds, 0, Forever - 1) : Forever;
}
