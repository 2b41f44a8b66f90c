using System.Diagnostics.CodeAnalysis;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>A queueing discipline of a link: as it is to be, or as it is read.</summary>
public sealed record Qdisc
{
    /// <summary>Link and kind have to be given.</summary>
    public Qdisc()
    {
    }

    [SetsRequiredMembers]
    private Qdisc(TcMsg header, AttributeReader attributes)
    {
        LinkIndex = header.tcm_ifindex;
        Handle = TcHandle.Of(header.tcm_handle);
        Parent = TcHandle.Of(header.tcm_parent);
        (string name, AttributeReader options) = TcMessages.ReadKind(attributes);
        Kind = QdiscKind.Read(name, options);
    }

    /// <summary>The index of its link.</summary>
    public required int LinkIndex { get; init; }

    /// <summary>How it orders packets.</summary>
    public required QdiscKind Kind { get; init; }

    /// <summary>Its name; the kernel chooses one for <see cref="TcHandle.Unspecified"/>.</summary>
    public TcHandle Handle { get; init; }

    /// <summary>What it hangs on: the link itself, or a class.</summary>
    public TcHandle Parent { get; init; } = TcHandle.Root;

    /// <summary>The qdisc of a message; null when it is of none.</summary>
    /// <exception cref="NetlinkProtocolException">The message makes no sense.</exception>
    internal static Qdisc? Read(NetlinkMessage message) => message.Type is Rtnl.RTM_NEWQDISC or Rtnl.RTM_DELQDISC
        ? new Qdisc(message.Header<TcMsg>(), message.Attributes<TcMsg>()) : null;

    internal void Write(MessageWriter message)
    {
        message.Structure(new TcMsg { tcm_ifindex = LinkIndex, tcm_handle = Handle.Value, tcm_parent = Parent.Value });
        message.Text(Rtnl.TCA_KIND, Kind.Name);
        if (Kind.HasOptions)
        {
            int options = message.BeginPlain(Rtnl.TCA_OPTIONS);
            Kind.Write(message);
            message.End(options);
        }
    }
}
