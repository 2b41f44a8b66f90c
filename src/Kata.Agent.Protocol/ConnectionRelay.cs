using Google.Protobuf;
using Grpc.Core;
using Kata.Agent.Protocol.Extension;

namespace Kata.Agent.Protocol;

/// <summary>
/// One side of a Connect call: bytes of a connection become frames and frames become bytes. Both sides are alike. Constraints: nothing is
/// dropped or reordered, each direction ends by itself, and a slow reader holds up its own connection only.
/// </summary>
/// <param name="connection">Borrowed. One reader and one writer at a time.</param>
/// <param name="endWriting">Says to the connection that nothing more will be written.</param>
/// <param name="incoming">The other side's frames.</param>
/// <param name="outgoing">Where this side's go.</param>
internal sealed class ConnectionRelay(
    Stream connection, Action endWriting, IAsyncStreamReader<ConnectionFrame> incoming, IAsyncStreamWriter<ConnectionFrame> outgoing)
    : IDisposable
{
    /// <summary>What each side may send before it is granted more, in bytes: it is in memory when the reader is slow.</summary>
    internal const uint Window = 64 * 1024;

    private const int MaxData = 16 * 1024;
    private const uint GrantBatch = Window / 4;

    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly ByteCredit _mine = new(Window, Window);
    private readonly ByteCredit _theirs = new(Window, Window);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Relays until both directions have ended.</summary>
    /// <exception cref="Exception">
    /// Whatever the connection's stream throws, when it breaks: the other side is told. <see cref="RpcException"/> and
    /// <see cref="IOException"/> when the other side has. <see cref="InvalidDataException"/> when that takes no heed of its credit.
    /// </exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // Ends early on: the caller, or here, when one direction breaks.
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task taking = TakeAsync(done.Token);
        Task giving = GiveAsync(done.Token);
        try
        {
            await await Task.WhenAny(Task.WhenAll(_ended.Task, giving), UntilFailureAsync(taking), UntilFailureAsync(giving));
        }
        catch (Exception error) when (error is not RpcException)
        {
            await TryResetAsync();
            throw;
        }
        finally
        {
            await done.CancelAsync();
            await Task.WhenAll(taking, giving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // the first error counts
        }
    }

    public void Dispose() => _sending.Dispose();

    private async Task UntilFailureAsync(Task task)
    {
        await task;
        await _ended.Task;
        await Task.Delay(Timeout.Infinite, CancellationToken.None);
    }

    // Credits come for as long as this side sends, so that this goes on when the other's direction has ended.
    private async Task TakeAsync(CancellationToken cancellationToken)
    {
        uint written = 0;
        while (await incoming.MoveNext(cancellationToken))
        {
            ConnectionFrame frame = incoming.Current;
            switch (frame.FrameCase)
            {
                case ConnectionFrame.FrameOneofCase.Data when !_theirs.TryTake(frame.Data.Length) || _ended.Task.IsCompleted:
                    throw new InvalidDataException("the other side of a connection sent more than it may");
                case ConnectionFrame.FrameOneofCase.Data:
                    await connection.WriteAsync(frame.Data.Memory, cancellationToken);
                    written += (uint)frame.Data.Length;
                    if (written >= GrantBatch)
                    {
                        _theirs.Grant(written);
                        await SendAsync(new ConnectionFrame { Credit = written }, cancellationToken);
                        written = 0;
                    }

                    break;
                case ConnectionFrame.FrameOneofCase.Credit:
                    _mine.Grant(frame.Credit);
                    break;
                case ConnectionFrame.FrameOneofCase.End when _ended.TrySetResult():
                    endWriting();
                    break;
                case ConnectionFrame.FrameOneofCase.Reset:
                    throw new IOException("the other side of a connection broke it");
                default:
                    break; // a later protocol's
            }
        }

        if (!_ended.Task.IsCompleted)
        {
            throw new IOException("the other side of a connection went away");
        }
    }

    private async Task GiveAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[MaxData];
        while (true)
        {
            int credit = await _mine.WaitAsync(buffer.Length, cancellationToken);
            int count = await connection.ReadAsync(buffer.AsMemory(0, credit), cancellationToken);
            if (count == 0)
            {
                await SendAsync(new ConnectionFrame { End = true }, cancellationToken);
                return;
            }

            _mine.TryTake(count); // nobody else takes any
            await SendAsync(new ConnectionFrame { Data = ByteString.CopyFrom(buffer, 0, count) }, cancellationToken);
        }
    }

    private async Task TryResetAsync()
    {
        try
        {
            await SendAsync(new ConnectionFrame { Reset = true }, CancellationToken.None);
        }
        catch (Exception error) when (error is RpcException or IOException or InvalidOperationException or ObjectDisposedException)
        {
            // It is gone, and needs no telling.
        }
    }

    private async Task SendAsync(ConnectionFrame frame, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken);
        try
        {
            await outgoing.WriteAsync(frame, cancellationToken);
        }
        finally
        {
            _sending.Release();
        }
    }
}
