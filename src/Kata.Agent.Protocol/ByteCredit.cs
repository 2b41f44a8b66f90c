namespace Kata.Agent.Protocol;

/// <summary>
/// How many bytes of a Stdio stream its receiver still takes. Grants add up; a sender waits until it may send, and takes what it sends.
/// One waiter, any granter.
/// </summary>
/// <param name="limit">The most that may be granted and not taken at a time: a peer that grants more is not counting.</param>
/// <param name="initial">Granted from the beginning.</param>
internal sealed class ByteCredit(long limit, uint initial = 0)
{
    private readonly Lock _gate = new();
    private long _available = initial; // guarded by _gate
    private TaskCompletionSource? _waiter; // guarded by _gate

    /// <exception cref="InvalidDataException">That would be more than the limit: the peer is broken or hostile.</exception>
    public void Grant(uint bytes)
    {
        TaskCompletionSource? waiter;
        lock (_gate)
        {
            if (bytes > limit - _available)
            {
                throw new InvalidDataException($"the peer granted more than {limit} bytes of credit");
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

    /// <summary>Waits until something may be sent and says how much, at most <paramref name="maximum"/>. Nothing is taken yet.</summary>
    public async ValueTask<int> WaitAsync(int maximum, CancellationToken cancellationToken)
    {
        while (true)
        {
            TaskCompletionSource waiter;
            lock (_gate)
            {
                if (_available > 0)
                {
                    return (int)Math.Min(_available, maximum);
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
