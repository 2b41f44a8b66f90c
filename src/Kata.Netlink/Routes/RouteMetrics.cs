using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>What connections over a route use instead of what they find out (RTAX_). What is null is not set.</summary>
public sealed record RouteMetrics
{
    /// <summary>No metric.</summary>
    public RouteMetrics()
    {
    }

    private RouteMetrics(AttributeReader attributes)
    {
        while (attributes.Read(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Rtnl.RTAX_LOCK:
                    Locked = attribute.UInt32();
                    break;
                case Rtnl.RTAX_MTU:
                    Mtu = attribute.UInt32();
                    break;
                case Rtnl.RTAX_WINDOW:
                    Window = attribute.UInt32();
                    break;
                case Rtnl.RTAX_RTT:
                    RoundTripTime = attribute.UInt32();
                    break;
                case Rtnl.RTAX_SSTHRESH:
                    SlowStartThreshold = attribute.UInt32();
                    break;
                case Rtnl.RTAX_CWND:
                    CongestionWindow = attribute.UInt32();
                    break;
                case Rtnl.RTAX_ADVMSS:
                    AdvertisedMss = attribute.UInt32();
                    break;
                case Rtnl.RTAX_HOPLIMIT:
                    HopLimit = attribute.UInt32();
                    break;
                case Rtnl.RTAX_INITCWND:
                    InitialCongestionWindow = attribute.UInt32();
                    break;
                case Rtnl.RTAX_INITRWND:
                    InitialReceiveWindow = attribute.UInt32();
                    break;
                case Rtnl.RTAX_RTO_MIN:
                    MinRetransmissionTimeout = attribute.UInt32();
                    break;
                case Rtnl.RTAX_QUICKACK:
                    QuickAck = attribute.UInt32();
                    break;
                case Rtnl.RTAX_CC_ALGO:
                    CongestionControl = attribute.Text();
                    break;
            }
        }
    }

    /// <summary>The largest packet, in bytes.</summary>
    public uint? Mtu { get; init; }

    /// <summary>The MSS that is told to the peer, in bytes.</summary>
    public uint? AdvertisedMss { get; init; }

    /// <summary>The largest window that is told to the peer, in bytes.</summary>
    public uint? Window { get; init; }

    /// <summary>The first estimate of the round trip time, in eighths of a millisecond.</summary>
    public uint? RoundTripTime { get; init; }

    /// <summary>The slow start threshold, in segments.</summary>
    public uint? SlowStartThreshold { get; init; }

    /// <summary>The largest congestion window, in segments.</summary>
    public uint? CongestionWindow { get; init; }

    /// <summary>The first congestion window, in segments.</summary>
    public uint? InitialCongestionWindow { get; init; }

    /// <summary>The first receive window, in segments.</summary>
    public uint? InitialReceiveWindow { get; init; }

    /// <summary>The smallest retransmission timeout, in milliseconds.</summary>
    public uint? MinRetransmissionTimeout { get; init; }

    /// <summary>How many routers a packet may pass.</summary>
    public uint? HopLimit { get; init; }

    /// <summary>Whether acknowledgements are sent at once.</summary>
    public uint? QuickAck { get; init; }

    /// <summary>The congestion control: <c>reno</c>.</summary>
    public string? CongestionControl { get; init; }

    /// <summary>Which of them the kernel must not change: bit 2 is <see cref="Mtu"/>, by the numbers of RTAX_.</summary>
    public uint? Locked { get; init; }

    internal static RouteMetrics Read(NetlinkAttribute attribute) => new(attribute.Nested);

    internal void Write(MessageWriter message)
    {
        int metrics = message.BeginPlain(Rtnl.RTA_METRICS);
        message.UInt32(Rtnl.RTAX_LOCK, Locked);
        message.UInt32(Rtnl.RTAX_MTU, Mtu);
        message.UInt32(Rtnl.RTAX_WINDOW, Window);
        message.UInt32(Rtnl.RTAX_RTT, RoundTripTime);
        message.UInt32(Rtnl.RTAX_SSTHRESH, SlowStartThreshold);
        message.UInt32(Rtnl.RTAX_CWND, CongestionWindow);
        message.UInt32(Rtnl.RTAX_ADVMSS, AdvertisedMss);
        message.UInt32(Rtnl.RTAX_HOPLIMIT, HopLimit);
        message.UInt32(Rtnl.RTAX_INITCWND, InitialCongestionWindow);
        message.UInt32(Rtnl.RTAX_INITRWND, InitialReceiveWindow);
        message.UInt32(Rtnl.RTAX_RTO_MIN, MinRetransmissionTimeout);
        message.UInt32(Rtnl.RTAX_QUICKACK, QuickAck);
        if (CongestionControl is { } algorithm)
        {
            message.Text(Rtnl.RTAX_CC_ALGO, algorithm);
        }

        message.End(metrics);
    }
}
