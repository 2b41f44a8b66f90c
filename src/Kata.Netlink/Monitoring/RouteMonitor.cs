using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>
/// Tells what happens in a network namespace, as a stream of events in the order in which it happened. It belongs to the namespace of
/// the thread that makes it, and is told of everything from then on: list the state afterwards, and nothing is missed.
/// </summary>
/// <remarks>
/// No thread waits. One reader at a time. Whoever does not read loses events and is told so by an <see cref="OverrunEvent"/>.
/// </remarks>
public sealed class RouteMonitor : IDisposable
{
    private const int InitialBufferSize = 8 * 1024;

    // An overrun ends when the buffer is empty. It is emptied while more may come, but not for ever.
    private const int MaxDropped = 100_000;

    private readonly KernelTransport _transport;
    private readonly Socket _readiness;
    private readonly byte[] _peeked = new byte[1];
    private readonly Queue<RouteEvent> _events = []; // read and not yet given; stays when the reader ends
    private byte[] _buffer = new byte[InitialBufferSize];
    private int _isReading;

    /// <summary>Opens a socket in the calling thread's network namespace.</summary>
    /// <param name="groups">What is told of.</param>
    /// <param name="options">Settings; null for the defaults.</param>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public RouteMonitor(RouteGroups groups, RouteMonitorOptions? options = null)
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
        try
        {
            // The runtime's Socket does not know the address family, but it knows when there is something to read.
            _readiness = new Socket(_transport.Handle.Borrow()) { Blocking = false };
        }
        catch
        {
            _transport.Dispose();
            throw;
        }
    }

    /// <summary>The events, until it is cancelled.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    /// <exception cref="NetlinkProtocolException">What the kernel sent makes no sense.</exception>
    /// <exception cref="InvalidOperationException">Somebody reads already.</exception>
    /// <exception cref="ObjectDisposedException">The monitor was disposed, maybe while it was read.</exception>
    public async IAsyncEnumerable<RouteEvent> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _isReading, 1) != 0)
        {
            throw new InvalidOperationException("Cannot read the events: somebody reads them already. Use a RouteMonitor for each reader");
        }

        try
        {
            while (true)
            {
                while (_events.TryDequeue(out RouteEvent? item))
                {
                    yield return item;
                }

                await ReadSomeAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            Volatile.Write(ref _isReading, 0);
        }
    }

    /// <summary>Closes the socket; whoever reads gets an exception.</summary>
    public void Dispose()
    {
        _readiness.Dispose();
        _transport.Dispose();
    }

    private async ValueTask ReadSomeAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        NetlinkErrno errno = Receive(isKept: true);
        if (errno == NetlinkErrno.EAGAIN)
        {
            errno = await WaitAsync(cancellationToken).ConfigureAwait(false) ?? Receive(isKept: true);
        }

        if (errno == NetlinkErrno.ENOBUFS)
        {
            // What still waits is older than what was lost, and would be taken for news after the state has been listed again.
            for (int i = 0; i < MaxDropped && Receive(isKept: false) is (NetlinkErrno.None or NetlinkErrno.ENOBUFS); i++)
            {
            }

            _events.Enqueue(new OverrunEvent());
        }
        else if (errno is not (NetlinkErrno.None or NetlinkErrno.EAGAIN))
        {
            throw new NetlinkException("read the events of the network", "", errno);
        }
    }

    /// <returns>Null when there is something to read, else the error that was there.</returns>
    private async ValueTask<NetlinkErrno?> WaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _readiness.ReceiveAsync(_peeked, SocketFlags.Peek, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
        {
            return NetlinkErrno.ENOBUFS;
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.OperationAborted)
        {
            throw new ObjectDisposedException(nameof(RouteMonitor));
        }
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
