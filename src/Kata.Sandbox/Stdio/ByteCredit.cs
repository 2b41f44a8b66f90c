namespace Kata.Sandbox;

/// <summary>How many bytes a peer lets us send. One taker, any granter.</summary>
internal sealed class ByteCredit
{
    /// <summary>A peer has no reason to grant more than this; beyond it the peer is broken or hostile.</summary>
    private const long Limit = 64L * 1024 * 1024;

    private readonly Lock _gate = new();
    private long _available; // guarded by _gate
    private TaskCompletionSource? _waiter; // guarded by _gate

    /// <exception cref="InvalidDataException">The sum is absurd.</exception>
    public void Grant(uint bytes)
    {
        TaskCompletionSource? waiter;
        lock (_gate)
        {
            _available += bytes;
            if (_available > Limit)
            {
                throw new InvalidDataException($"the peer granted more than {Limit} bytes of credit");
            }

            (waiter, _waiter) = (_waiter, null);
        }

        waiter?.TrySetResult();
    }

    /// <summary>Waits until at least one byte may be sent and takes up to <paramref name="maximum"/>.</summary>
    public async Task<int> TakeAsync(int maximum, CancellationToken cancellationToken)
    {
        while (true)
        {
            TaskCompletionSource waiter;
            lock (_gate)
            {
                if (_available > 0)
                {
                    int taken = (int)Math.Min(maximum, _available);
                    _available -= taken;
                    return taken;
                }

                waiter = _waiter ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            await waiter.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Gives back what was taken and not used.</summary>
    public void Return(int bytes)
    {
        lock (_gate)
        {
            _available += bytes;
        }
    }
}
