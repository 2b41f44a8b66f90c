using Kata.Linux;
using Kata.Netlink;

namespace Kata.Network;

/// <summary>Tells that something in a network namespace has changed. One waiter at a time. No thread waits.</summary>
internal sealed class NetworkWatch : IDisposable
{
    private readonly RouteEventReader _events;
    private readonly PolledDescriptor _readiness;

    private NetworkWatch(RouteEventReader events, PolledDescriptor readiness) => (_events, _readiness) = (events, readiness);

    /// <summary>Opens it: what changes from here on is told.</summary>
    /// <exception cref="NetworkException">The kernel refused.</exception>
    public static NetworkWatch Open(NetworkNamespace space)
    {
        RouteEventReader? events = null;
        try
        {
            events = space.Run(static () => new RouteEventReader(RouteGroups.All));
            using var borrowed = new SafeFileDescriptor((int)events.Handle.DangerousGetHandle(), ownsHandle: false);
            return new NetworkWatch(events, new PolledDescriptor(borrowed.Duplicate()));
        }
        catch (Exception error) when (error is NetlinkException or LinuxException)
        {
            events?.Dispose();
            throw new NetworkException($"Cannot watch the network of '{space.Path}'", error);
        }
    }

    /// <summary>Completes when something has changed since the last time, however much.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TakeAll())
            {
                return;
            }

            await _readiness.WaitReadableAsync(cancellationToken);
        }
    }

    /// <summary>Takes what has been told so far.</summary>
    /// <returns>Whether there was something.</returns>
    public bool TakeAll()
    {
        bool any = false;
        while (_events.TryRead(out _))
        {
            any = true;
        }

        return any;
    }

    public void Dispose()
    {
        _readiness.Dispose();
        _events.Dispose();
    }
}
