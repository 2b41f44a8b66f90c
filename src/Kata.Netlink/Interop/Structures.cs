using System.Runtime.InteropServices;

namespace Kata.Netlink.Interop;

/// <summary><c>struct nlmsghdr</c>, linux/netlink.h; 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NlMsgHdr
{
    public uint nlmsg_len;
    public ushort nlmsg_type;
    public ushort nlmsg_flags;
    public uint nlmsg_seq;
    public uint nlmsg_pid;
}

/// <summary><c>struct ifinfomsg</c>, linux/rtnetlink.h; 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct IfInfoMsg
{
    public byte ifi_family;
    private readonly byte _pad;
    public ushort ifi_type;
    public int ifi_index;
    public uint ifi_flags;
    public uint ifi_change;
}

/// <summary><c>struct rtnl_link_stats64</c> as of Linux 3.x, which later kernels only add to, linux/if_link.h; 184 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RtnlLinkStats64
{
    public ulong rx_packets;
    public ulong tx_packets;
    public ulong rx_bytes;
    public ulong tx_bytes;
    public ulong rx_errors;
    public ulong tx_errors;
    public ulong rx_dropped;
    public ulong tx_dropped;
    public ulong multicast;
    public ulong collisions;
    public ulong rx_length_errors;
    public ulong rx_over_errors;
    public ulong rx_crc_errors;
    public ulong rx_frame_errors;
    public ulong rx_fifo_errors;
    public ulong rx_missed_errors;
    public ulong tx_aborted_errors;
    public ulong tx_carrier_errors;
    public ulong tx_fifo_errors;
    public ulong tx_heartbeat_errors;
    public ulong tx_window_errors;
    public ulong rx_compressed;
    public ulong tx_compressed;
}

/// <summary><c>struct ifaddrmsg</c>, linux/if_addr.h; 8 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct IfAddrMsg
{
    public byte ifa_family;
    public byte ifa_prefixlen;
    public byte ifa_flags;
    public byte ifa_scope;
    public uint ifa_index;
}

/// <summary><c>struct ifa_cacheinfo</c>, linux/if_addr.h; 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct IfaCacheInfo
{
    public uint ifa_prefered;
    public uint ifa_valid;
    public uint cstamp;
    public uint tstamp;
}

/// <summary><c>struct rtmsg</c>, linux/rtnetlink.h; 12 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RtMsg
{
    public byte rtm_family;
    public byte rtm_dst_len;
    public byte rtm_src_len;
    public byte rtm_tos;
    public byte rtm_table;
    public byte rtm_protocol;
    public byte rtm_scope;
    public byte rtm_type;
    public uint rtm_flags;
}

/// <summary><c>struct rtnexthop</c>, linux/rtnetlink.h; 8 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RtNextHop
{
    public ushort rtnh_len;
    public byte rtnh_flags;
    public byte rtnh_hops;
    public int rtnh_ifindex;
}

/// <summary><c>struct rta_cacheinfo</c>, linux/rtnetlink.h; 32 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RtaCacheInfo
{
    public uint rta_clntref;
    public uint rta_lastuse;
    public int rta_expires;
    public uint rta_error;
    public uint rta_used;
    public uint rta_id;
    public uint rta_ts;
    public uint rta_tsage;
}

/// <summary><c>struct fib_rule_hdr</c>, linux/fib_rules.h; 12 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FibRuleHdr
{
    public byte family;
    public byte dst_len;
    public byte src_len;
    public byte tos;
    public byte table;
    private readonly byte res1;
    private readonly byte res2;
    public byte action;
    public uint flags;
}

/// <summary><c>struct fib_rule_uid_range</c>, linux/fib_rules.h; 8 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FibRuleUidRange
{
    public uint start;
    public uint end;
}

/// <summary><c>struct fib_rule_port_range</c>, linux/fib_rules.h; 4 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FibRulePortRange
{
    public ushort start;
    public ushort end;
}

/// <summary><c>struct ndmsg</c>, linux/neighbour.h; 12 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NdMsg
{
    public byte ndm_family;
    private readonly byte _pad1;
    private readonly ushort _pad2;
    public int ndm_ifindex;
    public ushort ndm_state;
    public byte ndm_flags;
    public byte ndm_type;
}

/// <summary><c>struct tcmsg</c>, linux/rtnetlink.h; 20 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TcMsg
{
    public byte tcm_family;
    private readonly byte _pad1;
    private readonly ushort _pad2;
    public int tcm_ifindex;
    public uint tcm_handle;
    public uint tcm_parent;
    public uint tcm_info;
}

/// <summary><c>struct tc_ratespec</c>, linux/pkt_sched.h; 12 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TcRateSpec
{
    public byte cell_log;
    public byte linklayer;
    public ushort overhead;
    public short cell_align;
    public ushort mpu;
    public uint rate;
}

/// <summary><c>struct tc_htb_glob</c>, linux/pkt_sched.h; 20 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TcHtbGlob
{
    public uint version;
    public uint rate2quantum;
    public uint defcls;
    public uint debug;
    public uint direct_pkts;
}

/// <summary><c>struct tc_htb_opt</c>, linux/pkt_sched.h; 44 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TcHtbOpt
{
    public TcRateSpec rate;
    public TcRateSpec ceil;
    public uint buffer;
    public uint cbuffer;
    public uint quantum;
    public uint level;
    public uint prio;
}

/// <summary><c>struct tc_tbf_qopt</c>, linux/pkt_sched.h; 36 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TcTbfQopt
{
    public TcRateSpec rate;
    public TcRateSpec peakrate;
    public uint limit;
    public uint buffer;
    public uint mtu;
}

/// <summary><c>struct tc_u32_sel</c> without its keys, linux/pkt_cls.h; 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TcU32Sel
{
    public byte flags;
    public byte offshift;
    public byte nkeys;
    public ushort offmask;
    public ushort off;
    public short offoff;
    public short hoff;
    public uint hmask;
}

/// <summary><c>struct tc_u32_key</c>, linux/pkt_cls.h; 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TcU32Key
{
    public uint mask;
    public uint val;
    public int off;
    public int offmask;
}

/// <summary><c>struct tc_mirred</c>, linux/tc_act/tc_mirred.h; 28 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TcMirred
{
    public uint index;
    public uint capab;
    public int action;
    public int refcnt;
    public int bindcnt;
    public int eaction;
    public uint ifindex;
}
