using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>Packets go to another link.</summary>
public sealed record MirredAction : TrafficAction
{
    internal const string KindName = "mirred";

    private const int Stolen = 4; // TC_ACT_STOLEN: the packet is gone
    private const int Pipe = 3; // TC_ACT_PIPE: the next action, or the stack, has it

    /// <summary>The link has to be given.</summary>
    public MirredAction() : base(KindName)
    {
    }

    /// <summary>Whether they go on here, too.</summary>
    public MirredDirection Direction { get; init; } = MirredDirection.EgressRedirect;

    /// <summary>The index of the other link.</summary>
    public required int TargetIndex { get; init; }

    internal static MirredAction ReadOptions(AttributeReader options)
    {
        if (!options.Find(Rtnl.TCA_MIRRED_PARMS, out NetlinkAttribute attribute))
        {
            throw new NetlinkProtocolException("an action 'mirred' has no parameters");
        }

        TcMirred parameters = attribute.Structure<TcMirred>();
        return new MirredAction { Direction = (MirredDirection)parameters.eaction, TargetIndex = (int)parameters.ifindex };
    }

    internal override void Write(MessageWriter message) => message.AttributeOf(Rtnl.TCA_MIRRED_PARMS, new TcMirred
    {
        action = Direction is MirredDirection.EgressRedirect or MirredDirection.IngressRedirect ? Stolen : Pipe,
        eaction = (int)Direction,
        ifindex = (uint)TargetIndex,
    });
}
