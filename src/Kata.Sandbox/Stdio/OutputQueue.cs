using System.Threading.Channels;

namespace Kata.Sandbox;

/// <summary>
/// Carries one output stream from the guest to the host's reader. What lies in it is bounded by the credit the guest was given,
/// so a reader that is slow or stopped holds up its own container and nobody else.
/// </summary>
internal sealed class OutputQueue : IAsyncDisposable
{
    /// <summary>
    /// Chunks that fit into so much together wait as one: a guest that sends single bytes must not cost us an object for each.
    /// </summary>
    private const int JoinedBytes = 4096;

    // Bounded by the window: Accept refuses what exceeds it, empty chunks are not queued, and two neighbours have more than JoinedBytes.
    private readonly Channel<Item> _items = Channel.CreateUnbounded<Item>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Lock _gate = new();
    private Item? _last; // guarded by _gate, as its content is: what was queued last, until it is taken

    private readonly Stream? _target;
    private readonly uint _window;
    private readonly Func<uint, Task> _grant;
    private readonly Func<Task> _targetClosed;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _writeLoop;
    private long _outstanding;

    /// <param name="target">
    /// Where the bytes go, or null to drop them. Owned: closed after the last byte, so that its reader sees the end.
    /// </param>
    /// <param name="window">How many bytes the guest may have in flight.</param>
    /// <param name="grant">Tells the guest that it may send so many more bytes.</param>
    /// <param name="targetClosed">Called once when the reader has gone away (EPIPE): the container is to see that too.</param>
    public OutputQueue(Stream? target, uint window, Func<uint, Task> grant, Func<Task> targetClosed)
    {
        (_target, _window, _grant, _targetClosed) = (target, window, grant, targetClosed);
        _writeLoop = RunAsync(); // ends when the queue is completed or disposed
    }

    /// <summary>Completes when everything accepted until <see cref="Complete"/> has been written or dropped.</summary>
    public Task Completion => _writeLoop;

    /// <summary>Takes a chunk from the guest.</summary>
    /// <exception cref="InvalidDataException">The guest sent more than it had credit for.</exception>
    public void Accept(ReadOnlyMemory<byte> chunk)
    {
        if (chunk.IsEmpty)
        {
            return;
        }

        if (Interlocked.Add(ref _outstanding, chunk.Length) > _window)
        {
            throw new InvalidDataException("the guest sent more output than it had credit for");
        }

        lock (_gate)
        {
            if (_last is { Reached: null } last && last.Chunk.Length + chunk.Length <= JoinedBytes)
            {
                last.Append(chunk.Span);
                return;
            }

            _last = new Item(chunk, null);
            _items.Writer.TryWrite(_last);
        }
    }

    /// <summary>No more will come, or it is dropped; what is queued is still written.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _last = null;
            _items.Writer.TryComplete();
        }
    }

    /// <summary>Completes when everything accepted before this call has been written or dropped.</summary>
    public Task FlushAsync()
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _last = null;
            return _items.Writer.TryWrite(new Item(default, reached)) ? Task.WhenAny(reached.Task, _writeLoop) : _writeLoop;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Complete();
        await _stopping.CancelAsync();
        await _writeLoop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        await using Stream? target = _target;
        bool open = target is not null;
        uint written = 0;
        await foreach (Item item in _items.Reader.ReadAllAsync(_stopping.Token))
        {
            if (item.Reached is { } reached)
            {
                reached.TrySetResult();
                continue;
            }

            lock (_gate)
            {
                _last = _last == item ? null : _last; // from here on nothing is appended to it
            }

            if (open)
            {
                try
                {
                    await target!.WriteAsync(item.Chunk, _stopping.Token);
                }
                catch (Exception error) when (error is IOException or Linux.LinuxException or ObjectDisposedException)
                {
                    open = false;
                    await _targetClosed();
                }
            }

            Interlocked.Add(ref _outstanding, -item.Chunk.Length);
            written += (uint)item.Chunk.Length;
            if (written >= _window / 4)
            {
                // In quarters: a frame of credit per chunk would cost as much as the chunk.
                await _grant(written);
                written = 0;
            }
        }
    }

    private sealed class Item(ReadOnlyMemory<byte> chunk, TaskCompletionSource? reached)
    {
        private byte[]? _joined;

        public ReadOnlyMemory<byte> Chunk { get; private set; } = chunk;

        public TaskCompletionSource? Reached => reached;

        public void Append(ReadOnlySpan<byte> more)
        {
            int length = Chunk.Length;
            if (_joined is null)
            {
                _joined = new byte[JoinedBytes];
                Chunk.CopyTo(_joined);
            }

            more.CopyTo(_joined.AsSpan(length));
            Chunk = _joined.AsMemory(0, length + more.Length);
        }
    }
}
