namespace Kata.Netlink;

/// <summary>
/// Events were lost, because the reader was slower than they came. What is read from here on happened later: to know the state, list it
/// with a <see cref="NetlinkSocket"/> now. A larger <see cref="RouteMonitorOptions.ReceiveBufferBytes"/> makes it rarer.
/// </summary>
public sealed record OverrunEvent : RouteEvent;
