using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>The answer to RTM_GETNSID; -1 for none.</summary>
internal sealed record NamespaceId(int Value)
{
    /// <exception cref="NetlinkProtocolException">The message makes no sense.</exception>
    public static NamespaceId? Read(NetlinkMessage message) => message.Type == Rtnl.RTM_NEWNSID
        && message.Attributes<uint>().Find(Rtnl.NETNSA_NSID, out NetlinkAttribute id) ? new NamespaceId(id.Int32()) : null;
}
