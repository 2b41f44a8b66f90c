using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>
/// A filter that has actions for all packets: as it is to be, or as it is read. Of filters that choose packets the choice is not read.
/// </summary>
public sealed record TrafficFilter
{
    /// <summary>The kind that matches all packets.</summary>
    public const string MatchAll = "matchall";

    /// <summary>The older kind, which is made here to match all packets.</summary>
    public const string U32 = "u32";

    /// <summary>The <see cref="Protocol"/> of all packets (ETH_P_ALL).</summary>
    public const ushort AllProtocols = 3;

    private readonly ValueList<TrafficAction> _actions;

    /// <summary>Link and parent have to be given.</summary>
    public TrafficFilter()
    {
    }

    [SetsRequiredMembers]
    private TrafficFilter(TcMsg header, AttributeReader attributes)
    {
        LinkIndex = header.tcm_ifindex;
        Parent = TcHandle.Of(header.tcm_parent);
        Handle = header.tcm_handle;
        Priority = (ushort)(header.tcm_info >> 16);
        Protocol = NetworkOrder((ushort)header.tcm_info);
        AttributeReader chain = attributes;
        Chain = chain.Find(Rtnl.TCA_CHAIN, out NetlinkAttribute number) ? number.UInt32() : 0;
        (Kind, AttributeReader options) = TcMessages.ReadKind(attributes);
        if (ActionsOf(Kind) is { } type && options.Find(type, out NetlinkAttribute actions))
        {
            Actions = TrafficAction.ReadAll(actions.Nested);
        }
    }

    /// <summary>The index of its link.</summary>
    public required int LinkIndex { get; init; }

    /// <summary>What it hangs on: a qdisc, or <see cref="TcHandle.IngressFilters"/> and the like.</summary>
    public required TcHandle Parent { get; init; }

    /// <summary>How it chooses packets: <see cref="MatchAll"/>, <see cref="U32"/>, or what is read.</summary>
    public string Kind { get; init; } = MatchAll;

    /// <summary>The order of filters, the lowest first; 0 leaves it to the kernel.</summary>
    public ushort Priority { get; init; }

    /// <summary>The Ethernet type of the packets.</summary>
    public ushort Protocol { get; init; } = AllProtocols;

    /// <summary>Its number among those of one priority; 0 leaves it to the kernel.</summary>
    public uint Handle { get; init; }

    /// <summary>The chain it is in.</summary>
    public uint Chain { get; init; }

    /// <summary>What is done with packets, in this order.</summary>
    public IReadOnlyList<TrafficAction> Actions
    {
        get => _actions.Items;
        init => _actions = new ValueList<TrafficAction>(value);
    }

    /// <summary>The filter of a message; null when it is of none.</summary>
    /// <exception cref="NetlinkProtocolException">The message makes no sense.</exception>
    internal static TrafficFilter? Read(NetlinkMessage message) => message.Type is Rtnl.RTM_NEWTFILTER or Rtnl.RTM_DELTFILTER
        ? new TrafficFilter(message.Header<TcMsg>(), message.Attributes<TcMsg>()) : null;

    /// <param name="message">Has its header.</param>
    /// <param name="isDeletion">Whether its actions do not matter.</param>
    internal void Write(MessageWriter message, bool isDeletion)
    {
        message.Structure(new TcMsg
        {
            tcm_ifindex = LinkIndex,
            tcm_parent = Parent.Value,
            tcm_handle = Handle,
            tcm_info = ((uint)Priority << 16) | NetworkOrder(Protocol),
        });
        message.Text(Rtnl.TCA_KIND, Kind);
        if (Chain != 0)
        {
            message.UInt32(Rtnl.TCA_CHAIN, Chain);
        }

        if (isDeletion)
        {
            return;
        }

        ushort actions = ActionsOf(Kind) ?? throw new ArgumentException(
            $"Cannot make a filter of kind '{Kind}': only '{MatchAll}' and '{U32}' are known");
        int options = message.BeginPlain(Rtnl.TCA_OPTIONS);
        if (Kind == U32)
        {
            WriteMatchOfEverything(message);
        }

        WriteActions(message, actions);
        message.End(options);
    }

    private static ushort? ActionsOf(string kind) => kind switch
    {
        MatchAll => Rtnl.TCA_MATCHALL_ACT,
        U32 => Rtnl.TCA_U32_ACT,
        _ => null,
    };

    // One key that no bit of the packet has to agree with.
    private static void WriteMatchOfEverything(MessageWriter message)
    {
        Span<byte> selector = stackalloc byte[Unsafe.SizeOf<TcU32Sel>() + Unsafe.SizeOf<TcU32Key>()];
        selector.Clear();
        MemoryMarshal.Write(selector, new TcU32Sel { flags = Rtnl.TC_U32_TERMINAL, nkeys = 1 });
        message.Bytes(Rtnl.TCA_U32_SEL, selector);
    }

    private void WriteActions(MessageWriter message, ushort type)
    {
        int all = message.BeginPlain(type);
        for (int i = 0; i < Actions.Count; i++)
        {
            int action = message.BeginPlain((ushort)(i + 1));
            message.Text(Rtnl.TCA_ACT_KIND, Actions[i].Kind);
            int options = message.Begin(Rtnl.TCA_ACT_OPTIONS);
            Actions[i].Write(message);
            message.End(options);
            message.End(action);
        }

        message.End(all);
    }

    private static ushort NetworkOrder(ushort value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
}
