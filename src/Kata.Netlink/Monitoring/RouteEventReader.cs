using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>
/// The events of a network namespace for a program that waits by means of its own until <see cref="Handle"/> is readable; others take
/// <see cref="RouteMonitor"/>. It belongs to the namespace of the thread that makes it, and is told of everything from then on: list the
/// state afterwards, and nothing is missed. One reader at a time.
/// </summary>
public sealed class RouteEventReader : IDisposable
{
    private const int InitialBufferSize = 8 * 1024;

    // An overrun ends when the buffer is empty. It is emptied while more may come, but not for ever.
    private const int MaxDropped = 100_000;

    private readonly KernelTransport _transport;
    private readonly Queue<RouteEvent> _events = []; // received and not yet given
    private byte[] _buffer = new byte[InitialBufferSize];

    /// <summary>Opens a socket in the calling thread's network namespace.</summary>
    /// <param name="groups">What is told of.</param>
    /// <param name="options">Settings; null for the defaults.</param>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public RouteEventReader(RouteGroups groups, RouteMonitorOptions? options = null)
    {
        if (groups == RouteGroups.None || (groups & ~RouteGroups.All) != 0)
        {
            throw new ArgumentException($"Cannot monitor '{groups}': name one or more of '{RouteGroups.All}'", nameof(groups));
        }

        if (options?.ReceiveBufferBytes is { } bytes)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1, nameof(options));
        }

        _transport = KernelTransport.OpenForGroups(GroupsOf(groups), options?.ReceiveBufferBytes);
    }

    /// <summary>The socket: readable when there are events, or an error for <see cref="TryRead"/> to tell. Borrowed.</summary>
    public SafeHandle Handle => Socket;

    internal SafeNetlinkHandle Socket => _transport.Handle;

    /// <summary>The next event, if there is one; an <see cref="OverrunEvent"/> stands for those that were lost. Never waits.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    /// <exception cref="NetlinkProtocolException">What the kernel sent makes no sense.</exception>
    /// <exception cref="ObjectDisposedException">It was disposed, maybe while it was read.</exception>
    public bool TryRead([NotNullWhen(true)] out RouteEvent? item)
    {
        while (!_events.TryDequeue(out item))
        {
            switch (Receive(isKept: true))
            {
                case NetlinkErrno.None:
                    break; // perhaps of nothing that is known
                case NetlinkErrno.EAGAIN:
                    return false;
                case NetlinkErrno.ENOBUFS:
                    TakeOverrun();
                    break;
                case var errno:
                    throw new NetlinkException("read the events of the network", "", errno);
            }
        }

        return true;
    }

    /// <summary>Closes the socket.</summary>
    public void Dispose() => _transport.Dispose();

    /// <summary>What still waits is older than what was lost, and would be taken for news after the state has been listed again.</summary>
    internal void TakeOverrun()
    {
        for (int i = 0; i < MaxDropped && Receive(isKept: false) is (NetlinkErrno.None or NetlinkErrno.ENOBUFS); i++)
        {
        }

        _events.Enqueue(new OverrunEvent());
    }

    // Takes one datagram, if there is one.
    private NetlinkErrno Receive(bool isKept)
    {
        NetlinkErrno errno = _transport.Receive(ref _buffer, out int length, out uint sender);
        if (errno == NetlinkErrno.None && sender == 0 && isKept)
        {
            var messages = new MessageReader(_buffer.AsSpan(0, length));
            while (messages.Read(out NetlinkMessage message))
            {
                if (RouteEvent.Read(message) is { } item)
                {
                    _events.Enqueue(item);
                }
            }
        }

        return errno;
    }

    private static uint GroupsOf(RouteGroups groups)
    {
        uint bits = 0;
        foreach ((RouteGroups group, int number) in (ReadOnlySpan<(RouteGroups, int)>)
        [
            (RouteGroups.Links, Rtnl.RTNLGRP_LINK),
            (RouteGroups.Neighbours, Rtnl.RTNLGRP_NEIGH),
            (RouteGroups.IPv4Addresses, Rtnl.RTNLGRP_IPV4_IFADDR),
            (RouteGroups.IPv6Addresses, Rtnl.RTNLGRP_IPV6_IFADDR),
            (RouteGroups.IPv4Routes, Rtnl.RTNLGRP_IPV4_ROUTE),
            (RouteGroups.IPv6Routes, Rtnl.RTNLGRP_IPV6_ROUTE),
            (RouteGroups.IPv4Rules, Rtnl.RTNLGRP_IPV4_RULE),
            (RouteGroups.IPv6Rules, Rtnl.RTNLGRP_IPV6_RULE),
        ])
        {
            bits |= (groups & group) != 0 ? 1u << (number - 1) : 0;
        }

        return bits;
    }
}
