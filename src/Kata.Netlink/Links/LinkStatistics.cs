using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>Counters of a link since it was made (struct rtnl_link_stats64).</summary>
public sealed record LinkStatistics
{
    /// <summary>Packets received.</summary>
    public ulong ReceivedPackets { get; init; }

    /// <summary>Packets sent.</summary>
    public ulong SentPackets { get; init; }

    /// <summary>Bytes received.</summary>
    public ulong ReceivedBytes { get; init; }

    /// <summary>Bytes sent.</summary>
    public ulong SentBytes { get; init; }

    /// <summary>Packets received that were bad.</summary>
    public ulong ReceiveErrors { get; init; }

    /// <summary>Packets that could not be sent.</summary>
    public ulong SendErrors { get; init; }

    /// <summary>Packets received and not processed, as there was no room.</summary>
    public ulong ReceiveDropped { get; init; }

    /// <summary>Packets dropped on the way out.</summary>
    public ulong SendDropped { get; init; }

    /// <summary>Multicast packets received.</summary>
    public ulong Multicast { get; init; }

    /// <summary>Collisions.</summary>
    public ulong Collisions { get; init; }

    /// <summary>Of the receive errors: wrong length.</summary>
    public ulong ReceiveLengthErrors { get; init; }

    /// <summary>Of the receive errors: no room in the device.</summary>
    public ulong ReceiveOverErrors { get; init; }

    /// <summary>Of the receive errors: wrong checksum.</summary>
    public ulong ReceiveCrcErrors { get; init; }

    /// <summary>Of the receive errors: wrong alignment.</summary>
    public ulong ReceiveFrameErrors { get; init; }

    /// <summary>Of the receive errors: the device's queue was full.</summary>
    public ulong ReceiveFifoErrors { get; init; }

    /// <summary>Packets that the host was too slow for.</summary>
    public ulong ReceiveMissedErrors { get; init; }

    /// <summary>Of the send errors: aborted.</summary>
    public ulong SendAbortedErrors { get; init; }

    /// <summary>Of the send errors: no carrier.</summary>
    public ulong SendCarrierErrors { get; init; }

    /// <summary>Of the send errors: the device's queue was empty.</summary>
    public ulong SendFifoErrors { get; init; }

    /// <summary>Of the send errors: heartbeat.</summary>
    public ulong SendHeartbeatErrors { get; init; }

    /// <summary>Of the send errors: late collisions.</summary>
    public ulong SendWindowErrors { get; init; }

    internal static LinkStatistics Of(RtnlLinkStats64 counters) => new()
    {
        ReceivedPackets = counters.rx_packets,
        SentPackets = counters.tx_packets,
        ReceivedBytes = counters.rx_bytes,
        SentBytes = counters.tx_bytes,
        ReceiveErrors = counters.rx_errors,
        SendErrors = counters.tx_errors,
        ReceiveDropped = counters.rx_dropped,
        SendDropped = counters.tx_dropped,
        Multicast = counters.multicast,
        Collisions = counters.collisions,
        ReceiveLengthErrors = counters.rx_length_errors,
        ReceiveOverErrors = counters.rx_over_errors,
        ReceiveCrcErrors = counters.rx_crc_errors,
        ReceiveFrameErrors = counters.rx_frame_errors,
        ReceiveFifoErrors = counters.rx_fifo_errors,
        ReceiveMissedErrors = counters.rx_missed_errors,
        SendAbortedErrors = counters.tx_aborted_errors,
        SendCarrierErrors = counters.tx_carrier_errors,
        SendFifoErrors = counters.tx_fifo_errors,
        SendHeartbeatErrors = counters.tx_heartbeat_errors,
        SendWindowErrors = counters.tx_window_errors,
    };
}
