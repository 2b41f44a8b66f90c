using System.Diagnostics.CodeAnalysis;

namespace Kata.TtRpc;

/// <summary>
/// Writes frames, one at a time and each in one write. A frame that has begun is always written to its end: only the wait for the turn
/// can be cancelled, since half a frame would ruin the connection.
/// </summary>
/// <param name="stream">The connection.</param>
/// <param name="maxMessageSize">For the frames made here.</param>
/// <param name="broken">Told when a write failed; after that the connection is of no use.</param>
/// <param name="closed">Cancelled when the connection ends.</param>
[SuppressMessage("Reliability", "CA1001", Justification = "A SemaphoreSlim without a wait handle holds no resource")]
internal sealed class FrameSender(Stream stream, int maxMessageSize, Action<Exception> broken, CancellationToken closed)
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private OutgoingFrame? _spare;

    public OutgoingFrame Rent(FrameType type, FrameFlags flags)
    {
        OutgoingFrame frame = Interlocked.Exchange(ref _spare, null) ?? new OutgoingFrame(maxMessageSize);
        frame.Begin(type, flags);
        return frame;
    }

    public void Return(OutgoingFrame frame)
    {
        frame.Recycle();
        Volatile.Write(ref _spare, frame);
    }

    /// <summary>Takes the frame over. <paramref name="cancellationToken"/> ends the wait for a turn, not a write that has begun.</summary>
    /// <exception cref="IOException">The connection failed or has ended.</exception>
    public async ValueTask SendAsync(
        OutgoingFrame frame, uint streamId, IStreamStarter? starter, CancellationToken cancellationToken)
    {
        try
        {
            await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                if (starter is not null && !starter.TryStart(out streamId)) return;
                await WriteAsync(frame.Finish(streamId)).ConfigureAwait(false);
            }
            finally
            {
                _turn.Release();
            }
        }
        finally
        {
            Return(frame);
        }
    }

    private async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            closed.ThrowIfCancellationRequested();
            await stream.WriteAsync(bytes, closed).ConfigureAwait(false);
            await stream.FlushAsync(closed).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception) when (closed.IsCancellationRequested)
        {
            throw new IOException("Cannot send a frame: the connection has ended. Connect again", exception);
        }
        catch (Exception exception)
        {
            broken(exception);
            throw exception is IOException
                ? exception
                : new IOException("Cannot send a frame: the connection failed. Connect again", exception);
        }
    }
}
