namespace Kata.Agent.Stdio;

/// <summary>
/// How many bytes the other side still takes. Grants add up; a sender takes what it is about to send and waits when there is none.
/// One waiter. Thread-safe.
/// </summary>
internal sealed class ByteCredit(uint initial)
{
    private readonly Lock _gate = new();
    private long _available = initial; // guarded by _gate
    private TaskCompletionSource? _waiter; // guarded by _gate

    /// <exception cref="OverflowException">The peer granted more than 2^62 bytes in all: it is not counting.</exception>
    public void Grant(uint bytes)
    {
        TaskCompletionSource? waiter;
        lock (_gate)
        {
            if (_available > long.MaxValue / 2)
            {
                throw new OverflowException("The granted credit is absurd");
            }

            _available += bytes;
            if (_available == 0)
            {
                return;
            }

            (waiter, _waiter) = (_waiter, null);
        }

        waiter?.TrySetResult();
    }

    /// <summary>Waits until something may be sent and says how much, at most <paramref name="limit"/>. Nothing is taken yet.</summary>
    public async ValueTask<int> WaitAsync(int limit, CancellationToken cancellationToken)
    {
        while (true)
        {
            TaskCompletionSource waiter;
            lock (_gate)
            {
                if (_available > 0)
                {
                    return (int)Math.Min(_available, limit);
                }

                waiter = _waiter ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            await waiter.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Takes <paramref name="bytes"/>. False, and nothing taken, when that is more than there is: a peer that overdrew.</summary>
    public bool TryTake(int bytes)
    {
        lock (_gate)
        {
            if (bytes > _available)
            {
                return false;
            }

            _available -= bytes;
            return true;
        }
    }
}
