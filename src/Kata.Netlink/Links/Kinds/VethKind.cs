using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>One end of a pair: what is sent into it comes out of the other. <see cref="Link.Parent"/> is the other end.</summary>
public sealed record VethKind : LinkKind
{
    internal const string KindName = "veth";

    /// <summary>The other end is named by <see cref="Peer"/>.</summary>
    public VethKind() : base(KindName)
    {
    }

    /// <summary>
    /// Settings of the other end of a new pair: its name, address, namespace and so on; null leaves them to the kernel. Not known of a pair
    /// that is read.
    /// </summary>
    public LinkSettings? Peer { get; init; }

    internal override void Write(MessageWriter message)
    {
        if (Peer is null)
        {
            return;
        }

        if (Peer.Kind is not null)
        {
            throw new ArgumentException("Cannot make the peer of a veth: a kind is given for it. Leave it out");
        }

        int peer = message.Begin(Rtnl.VETH_INFO_PEER);
        LinkCodec.WriteNew(message, Peer);
        message.End(peer);
    }
}
