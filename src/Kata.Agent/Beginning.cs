namespace Kata.Agent;

/// <summary>
/// Something that is being made for a caller who may give up: by its deadline or the channel's end, of which the call's token tells, or by
/// asking for its end, as ttRPC has no other way to say so.
/// </summary>
internal sealed class Beginning(CancellationToken call) : IDisposable
{
    private readonly CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(call);
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends the work.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Whether nobody wants it any more.</summary>
    public bool IsCalledOff => _source.IsCancellationRequested;

    /// <summary>
    /// Nobody wants it any more. Returns when what was made of it is gone, or, because it was too late, when it is complete.
    /// </summary>
    public async Task CallOffAsync(CancellationToken cancellationToken)
    {
        await _source.CancelAsync();
        await _over.Task.WaitAsync(cancellationToken);
    }

    /// <summary>It is complete, or nothing is left of it.</summary>
    public void Dispose() => _over.TrySetResult(); // the source is left to whoever calls off at this moment: it has no timer
}
