using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>
/// A filter that has actions for packets: as it is to be, or as it is read. How packets are chosen is read of <see cref="U32"/> only.
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
    private readonly ValueList<PacketMatch> _matches;

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
        AttributeReader selection = options;
        if (ActionsOf(Kind) is { } type && options.Find(type, out NetlinkAttribute actions))
        {
            Actions = TrafficAction.ReadAll(actions.Nested);
        }

        if (Kind == U32 && selection.Find(Rtnl.TCA_U32_SEL, out NetlinkAttribute selector))
        {
            Matches = ReadMatches(selector.Value);
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

    /// <summary>Of <see cref="U32"/>: what all has to be so for a packet; empty for all packets.</summary>
    public IReadOnlyList<PacketMatch> Matches
    {
        get => _matches.Items;
        init => _matches = new ValueList<PacketMatch>(value);
    }

    /// <summary>What is done with packets, in this order. With none of <see cref="U32"/> they pass, and no later filter is asked.</summary>
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
            WriteMatches(message);
        }
        else if (Matches.Count > 0)
        {
            throw new ArgumentException($"Cannot make a filter of kind '{Kind}' that chooses packets: only '{U32}' can");
        }

        if (Actions.Count > 0)
        {
            WriteActions(message, actions);
        }

        message.End(options);
    }

    private static ushort? ActionsOf(string kind) => kind switch
    {
        MatchAll => Rtnl.TCA_MATCHALL_ACT,
        U32 => Rtnl.TCA_U32_ACT,
        _ => null,
    };

    // At least one key: for everything one that no bit of the packet has to agree with.
    private void WriteMatches(MessageWriter message)
    {
        IReadOnlyList<PacketMatch> keys = Matches.Count > 0 ? Matches : [new PacketMatch(0, 0, 0)];
        ArgumentOutOfRangeException.ThrowIfGreaterThan(keys.Count, byte.MaxValue, nameof(Matches));
        int size = Unsafe.SizeOf<TcU32Key>();
        byte[] selector = new byte[Unsafe.SizeOf<TcU32Sel>() + (keys.Count * size)];
        MemoryMarshal.Write(selector, new TcU32Sel { flags = Rtnl.TC_U32_TERMINAL, nkeys = (byte)keys.Count });
        for (int i = 0; i < keys.Count; i++)
        {
            MemoryMarshal.Write(
                selector.AsSpan(Unsafe.SizeOf<TcU32Sel>() + (i * size)),
                new TcU32Key { mask = NetworkOrder(keys[i].Mask), val = NetworkOrder(keys[i].Value), off = keys[i].Offset });
        }

        message.Bytes(Rtnl.TCA_U32_SEL, selector);
    }

    private static List<PacketMatch> ReadMatches(ReadOnlySpan<byte> selector)
    {
        int size = Unsafe.SizeOf<TcU32Key>();
        var matches = new List<PacketMatch>();
        ReadOnlySpan<byte> rest = selector[Math.Min(selector.Length, Unsafe.SizeOf<TcU32Sel>())..];
        for (; rest.Length >= size; rest = rest[size..])
        {
            TcU32Key key = MemoryMarshal.Read<TcU32Key>(rest);
            if (key.mask != 0)
            {
                matches.Add(new PacketMatch(key.off, NetworkOrder(key.val), NetworkOrder(key.mask)));
            }
        }

        return matches;
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

    private static uint NetworkOrder(uint value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    private static ushort NetworkOrder(ushort value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
}
