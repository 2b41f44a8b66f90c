using System.Net.Sockets;
using System.Runtime.CompilerServices;

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
    private readonly RouteEventReader _reader;
    private readonly Socket _readiness;
    private readonly byte[] _peeked = new byte[1];
    private int _isReading;

    /// <summary>Opens a socket in the calling thread's network namespace.</summary>
    /// <param name="groups">What is told of.</param>
    /// <param name="options">Settings; null for the defaults.</param>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public RouteMonitor(RouteGroups groups, RouteMonitorOptions? options = null)
    {
        _reader = new RouteEventReader(groups, options);
        try
        {
            // The runtime's Socket does not know the address family, but it knows when there is something to read.
            _readiness = new Socket(_reader.Socket.Borrow()) { Blocking = false };
        }
        catch
        {
            _reader.Dispose();
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
                cancellationToken.ThrowIfCancellationRequested();
                if (_reader.TryRead(out RouteEvent? item))
                {
                    yield return item;
                }
                else
                {
                    await WaitAsync(cancellationToken).ConfigureAwait(false);
                }
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
        _reader.Dispose();
    }

    private async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _readiness.ReceiveAsync(_peeked, SocketFlags.Peek, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
        {
            _reader.TakeOverrun(); // the error is told once, and it was told to this call
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.OperationAborted)
        {
            throw new ObjectDisposedException(nameof(RouteMonitor));
        }
    }
}
