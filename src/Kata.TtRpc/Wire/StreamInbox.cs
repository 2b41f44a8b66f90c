namespace Kata.TtRpc;

/// <summary>The messages of one stream that arrived and were not read yet. One reader; the read loop adds.</summary>
internal sealed class StreamInbox(ReceiveBudget budget)
{
    private readonly Lock _gate = new();
    private readonly Queue<ReceivedBytes> _messages = new(); // guarded by _gate
    private TaskCompletionSource? _arrived; // guarded by _gate
    private bool _completed; // guarded by _gate
    private Exception? _error; // guarded by _gate

    /// <summary>Takes the message over; drops it when the stream has ended.</summary>
    public void Add(ReceivedBytes message)
    {
        TaskCompletionSource? arrived = null;
        lock (_gate)
        {
            if (!_completed)
            {
                budget.Charge(message.Length);
                _messages.Enqueue(message);
                (arrived, _arrived) = (_arrived, null);
                message = ReceivedBytes.Empty;
            }
        }

        message.Release();
        arrived?.TrySetResult();
    }

    /// <summary>No more messages. The reader gets those that are here, then the end or the error.</summary>
    public void Complete(Exception? error) => End(error, drop: false);

    /// <summary>The stream is of no interest any more: what waits is dropped and the reader gets the error.</summary>
    public void Abandon(Exception error) => End(error, drop: true);

    /// <returns>False when the stream has ended.</returns>
    public async ValueTask<(bool HasMessage, ReceivedBytes Message)> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task arrived;
            lock (_gate)
            {
                if (_messages.TryDequeue(out ReceivedBytes message))
                {
                    budget.Release(message.Length);
                    return (true, message);
                }

                if (_error is not null) throw _error;
                if (_completed) return (false, default);
                _arrived ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                arrived = _arrived.Task;
            }

            await arrived.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void End(Exception? error, bool drop)
    {
        TaskCompletionSource? arrived;
        lock (_gate)
        {
            if (!_completed)
            {
                _completed = true;
                _error = error;
            }
            else if (drop)
            {
                _error ??= error;
            }

            while (drop && _messages.TryDequeue(out ReceivedBytes message))
            {
                budget.Release(message.Length);
                message.Release();
            }

            (arrived, _arrived) = (_arrived, null);
        }

        arrived?.TrySetResult();
    }
}
