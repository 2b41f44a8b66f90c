using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>Writes the settings of links.</summary>
internal static class LinkCodec
{
    /// <summary>Structure and attributes.</summary>
    /// <param name="message">Has its header.</param>
    /// <param name="index">Of the link that is changed; 0 for a new one.</param>
    /// <param name="settings">What it gets.</param>
    public static void WriteSettings(MessageWriter message, int index, LinkSettings settings)
    {
        message.Structure(new IfInfoMsg
        {
            ifi_index = index,
            ifi_flags = (uint)(settings.SetFlags & ~settings.ClearFlags),
            ifi_change = (uint)(settings.SetFlags | settings.ClearFlags),
        });
        if (settings.Name is { } name)
        {
            message.Text(Rtnl.IFLA_IFNAME, name);
        }

        if (settings.Address is { } address)
        {
            message.Bytes(Rtnl.IFLA_ADDRESS, address.Bytes);
        }

        if (settings.Alias is { } alias)
        {
            message.Text(Rtnl.IFLA_IFALIAS, alias);
        }

        message.UInt32(Rtnl.IFLA_MTU, settings.Mtu);
        message.Int32(Rtnl.IFLA_LINK, settings.Parent);
        message.Int32(Rtnl.IFLA_MASTER, settings.Controller);
        message.UInt32(Rtnl.IFLA_TXQLEN, settings.TransmitQueueLength);
        message.UInt32(Rtnl.IFLA_NUM_TX_QUEUES, settings.TransmitQueues);
        message.UInt32(Rtnl.IFLA_NUM_RX_QUEUES, settings.ReceiveQueues);
        message.UInt32(Rtnl.IFLA_GROUP, settings.Group);
        if (settings.NetworkNamespace is { } target)
        {
            message.Int32(Rtnl.IFLA_NET_NS_FD, BorrowedDescriptor.Number(target));
        }

        if (settings.AddressGeneration is { } generation)
        {
            int families = message.Begin(Rtnl.IFLA_AF_SPEC);
            int family = message.Begin((ushort)IPFamily.IPv6);
            message.Byte(Rtnl.IFLA_INET6_ADDR_GEN_MODE, (byte)generation);
            message.End(family);
            message.End(families);
        }

        if (settings.Kind is { } kind)
        {
            WriteKind(message, kind);
        }
    }

    /// <summary>The settings of a new link, or of its peer.</summary>
    /// <exception cref="ArgumentException">One of them has no effect on a new link.</exception>
    public static void WriteNew(MessageWriter message, LinkSettings settings)
    {
        if (settings.Alias is not null || settings.AddressGeneration is not null)
        {
            throw new ArgumentException(
                $"Cannot add the link '{settings.Name}' with an alias or a way to generate addresses: the kernel overlooks them. "
                + "Change the link when it is there");
        }

        WriteSettings(message, index: 0, settings);
    }

    private static void WriteKind(MessageWriter message, LinkKind kind)
    {
        int information = message.Begin(Rtnl.IFLA_LINKINFO);
        message.Text(Rtnl.IFLA_INFO_KIND, kind.Name);
        int data = message.Begin(Rtnl.IFLA_INFO_DATA);
        kind.Write(message);
        message.End(data);
        message.End(information);
    }
}
