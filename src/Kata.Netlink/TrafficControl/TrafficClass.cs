using System.Diagnostics.CodeAnalysis;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>A class of an <see cref="HtbQdisc"/>: as it is to be, or as it is read. Of other kinds only kind and place are known.</summary>
public sealed record TrafficClass
{
    /// <summary>Link, name and rate have to be given.</summary>
    public TrafficClass()
    {
    }

    [SetsRequiredMembers]
    private TrafficClass(TcMsg header, AttributeReader attributes)
    {
        LinkIndex = header.tcm_ifindex;
        Handle = TcHandle.Of(header.tcm_handle);
        Parent = TcHandle.Of(header.tcm_parent);
        (Kind, AttributeReader options) = TcMessages.ReadKind(attributes);
        if (Kind != HtbQdisc.KindName)
        {
            return;
        }

        TcHtbOpt settings = default;
        ulong? rate = null;
        ulong? ceiling = null;
        while (options.Read(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Rtnl.TCA_HTB_PARMS:
                    settings = attribute.Structure<TcHtbOpt>();
                    break;
                case Rtnl.TCA_HTB_RATE64:
                    rate = attribute.UInt64();
                    break;
                case Rtnl.TCA_HTB_CEIL64:
                    ceiling = attribute.UInt64();
                    break;
            }
        }

        Rate = rate ?? settings.rate.rate;
        Ceiling = ceiling ?? settings.ceil.rate;
        Burst = TcRates.Bytes(settings.buffer, Rate);
        CeilingBurst = TcRates.Bytes(settings.cbuffer, Ceiling.Value);
        Priority = settings.prio;
        Quantum = settings.quantum;
    }

    /// <summary>The index of its link.</summary>
    public required int LinkIndex { get; init; }

    /// <summary>Its name, in the qdisc's <see cref="TcHandle.Major"/>.</summary>
    public required TcHandle Handle { get; init; }

    /// <summary>What it hangs on: its qdisc, or another class.</summary>
    public TcHandle Parent { get; init; }

    /// <summary>The kind of its qdisc; classes are made of <c>htb</c> only.</summary>
    public string Kind { get; init; } = HtbQdisc.KindName;

    /// <summary>What it may always send, in bytes a second.</summary>
    public required ulong Rate { get; init; }

    /// <summary>What it may send when others do not, in bytes a second; null is <see cref="Rate"/>.</summary>
    public ulong? Ceiling { get; init; }

    /// <summary>How much may be sent at once above the rate, in bytes; null is what a hundredth of a second and a packet take.</summary>
    public uint? Burst { get; init; }

    /// <summary>How much may be sent at once above the ceiling, in bytes; null as for <see cref="Burst"/>.</summary>
    public uint? CeilingBurst { get; init; }

    /// <summary>Who borrows first: the class with the lowest, 0 to 7.</summary>
    public uint Priority { get; init; }

    /// <summary>How many bytes it sends before the next class does; 0 leaves it to the kernel.</summary>
    public uint Quantum { get; init; }

    /// <summary>The class of a message; null when it is of none.</summary>
    /// <exception cref="NetlinkProtocolException">The message makes no sense.</exception>
    internal static TrafficClass? Read(NetlinkMessage message) => message.Type is Rtnl.RTM_NEWTCLASS or Rtnl.RTM_DELTCLASS
        ? new TrafficClass(message.Header<TcMsg>(), message.Attributes<TcMsg>()) : null;

    /// <param name="message">Has its header.</param>
    /// <param name="isDeletion">Whether only the name matters.</param>
    internal void Write(MessageWriter message, bool isDeletion)
    {
        message.Structure(new TcMsg { tcm_ifindex = LinkIndex, tcm_handle = Handle.Value, tcm_parent = Parent.Value });
        if (isDeletion)
        {
            return;
        }

        if (Kind != HtbQdisc.KindName)
        {
            throw new ArgumentException($"Cannot make a class of kind '{Kind}': only those of '{HtbQdisc.KindName}' are known");
        }

        ArgumentOutOfRangeException.ThrowIfZero(Rate, nameof(Rate));
        ulong ceiling = Ceiling ?? Rate;
        ArgumentOutOfRangeException.ThrowIfZero(ceiling, nameof(Ceiling));
        message.Text(Rtnl.TCA_KIND, Kind);
        int options = message.BeginPlain(Rtnl.TCA_OPTIONS);
        message.AttributeOf(Rtnl.TCA_HTB_PARMS, new TcHtbOpt
        {
            rate = TcRates.Specify(Rate),
            ceil = TcRates.Specify(ceiling),
            buffer = TcRates.Ticks(Burst ?? UsualBurst(Rate), Rate),
            cbuffer = TcRates.Ticks(CeilingBurst ?? UsualBurst(ceiling), ceiling),
            quantum = Quantum,
            prio = Priority,
        });
        if (Rate > uint.MaxValue)
        {
            message.UInt64(Rtnl.TCA_HTB_RATE64, Rate);
        }

        if (ceiling > uint.MaxValue)
        {
            message.UInt64(Rtnl.TCA_HTB_CEIL64, ceiling);
        }

        message.End(options);
    }

    private static uint UsualBurst(ulong rate) => (uint)Math.Min((rate / 100) + 1600, uint.MaxValue);
}
