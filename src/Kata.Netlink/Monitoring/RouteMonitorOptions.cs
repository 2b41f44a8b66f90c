namespace Kata.Netlink;

/// <summary>Settings of a <see cref="RouteMonitor"/> or a <see cref="RouteEventReader"/>.</summary>
public sealed class RouteMonitorOptions
{
    /// <summary>
    /// How many bytes of events may wait to be read; each takes about a kilobyte. With CAP_NET_ADMIN the system's limit
    /// (<c>net.core.rmem_max</c>) does not count. Null leaves it to the system.
    /// </summary>
    public int? ReceiveBufferBytes { get; init; }
}
