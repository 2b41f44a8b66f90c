using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>Hierarchical token bucket: classes with rates that borrow from each other (<see cref="TrafficClass"/>).</summary>
public sealed record HtbQdisc : QdiscKind
{
    internal const string KindName = "htb";

    // So that a class sends for a tenth of a second before the next one may (rate2quantum, as tc has it).
    private const uint RateToQuantum = 10;

    /// <summary>Without a class for the rest.</summary>
    public HtbQdisc() : base(KindName)
    {
    }

    /// <summary>The minor number of the class for packets that no filter puts elsewhere; 0 sends them at once.</summary>
    public uint DefaultClass { get; init; }

    internal override bool HasOptions => true;

    internal static HtbQdisc ReadOptions(AttributeReader options) => new()
    {
        DefaultClass = options.Find(Rtnl.TCA_HTB_INIT, out NetlinkAttribute init) ? init.Structure<TcHtbGlob>().defcls : 0,
    };

    internal override void Write(MessageWriter message) => message.AttributeOf(
        Rtnl.TCA_HTB_INIT, new TcHtbGlob { version = 3, rate2quantum = RateToQuantum, defcls = DefaultClass });
}
