namespace Kata.TtRpc;

/// <summary>
/// Counts the received bytes that wait for a reader, and lets the read loop wait until there is room. The loop charges first and waits
/// afterwards, so the sum stays below the limit plus one frame.
/// </summary>
internal sealed class ReceiveBudget(int limit)
{
    /// <summary>What a queued frame costs beside its data, so that empty frames are not free.</summary>
    public const int FrameOverhead = 64;

    private readonly Lock _gate = new();
    private long _used; // guarded by _gate
    private TaskCompletionSource? _room; // guarded by _gate

    public void Charge(int bytes)
    {
        lock (_gate)
            _used += bytes + FrameOverhead;
    }

    /// <returns>False, and nothing is charged, when it does not fit.</returns>
    public bool TryCharge(int bytes)
    {
        lock (_gate)
        {
            // One that is alone always fits, whatever the limit.
            if (_used > 0 && _used + bytes + FrameOverhead > limit) return false;
            _used += bytes + FrameOverhead;
            return true;
        }
    }

    public void Release(int bytes)
    {
        TaskCompletionSource? room = null;
        lock (_gate)
        {
            _used -= bytes + FrameOverhead;
            if (_used <= limit) (room, _room) = (_room, null);
        }

        room?.TrySetResult();
    }

    public ValueTask WaitForRoomAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_used <= limit) return ValueTask.CompletedTask;
            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask(_room.Task.WaitAsync(cancellationToken));
        }
    }
}
