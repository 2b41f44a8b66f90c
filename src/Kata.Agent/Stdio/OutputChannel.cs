using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Stdio;

/// <summary>
/// One output stream of a process: the reading end of its pipe, or the controlling side of its terminal. Nothing is read before
/// somebody takes it, so a writer without a reader fills the pipe and blocks alone. One reader at a time (<see cref="Turn"/>).
/// </summary>
/// <remarks>
/// Drained means: the process has ended, and what it had written by then was delivered. What a descendant writes later does not
/// count, or one that writes for ever would keep the exit back for ever. The length of the pipe at the exit decides.
/// </remarks>
internal sealed class OutputChannel : IDisposable
{
    private readonly DescriptorStream _source;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _read; // guarded by _gate
    private long _delivered; // guarded by _gate
    private long? _drainAt; // guarded by _gate
    private bool _ended; // guarded by _gate

    /// <summary>Takes ownership of <paramref name="source"/>.</summary>
    public OutputChannel(DescriptorStream source) => _source = source;

    /// <summary>Held by whoever reads, from the read until the delivery.</summary>
    public SemaphoreSlim Turn { get; } = new(1);

    /// <summary>Completes as the remarks say, or when the stream ended.</summary>
    public Task Drained => _drained.Task;

    /// <summary>The reader has seen the end.</summary>
    public bool Ended
    {
        get
        {
            lock (_gate)
            {
                return _ended;
            }
        }
    }

    /// <summary>At least one byte, or 0 at the end. Tell <see cref="Delivered"/> when the bytes are out.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            int count = TryRead(buffer.Span);
            if (count >= 0)
            {
                return count;
            }

            try
            {
                await _source.WaitReadableAsync(cancellationToken);
            }
            catch (ObjectDisposedException)
            {
                return 0;
            }
        }
    }

    /// <summary><paramref name="bytes"/> of those read have reached the host; 0 means that the end has.</summary>
    public void Delivered(int bytes)
    {
        bool drained;
        lock (_gate)
        {
            _delivered += bytes;
            _ended |= bytes == 0;
            drained = _ended || _delivered >= _drainAt;
        }

        if (drained)
        {
            _drained.TrySetResult();
        }
    }

    /// <summary>The process has ended: what is in the pipe now is the last of it.</summary>
    public unsafe void ProcessEnded()
    {
        bool drained;
        lock (_gate)
        {
            int waiting = 0;
            try
            {
                // SAFETY: FIONREAD fills one int. An error leaves 0: then nothing more is promised.
                _ = LibC.ioctl(_source.Descriptor, LibC.FIONREAD, &waiting);
            }
            catch (ObjectDisposedException)
            {
                waiting = 0;
            }

            _drainAt = _read + waiting;
            drained = _ended || _delivered >= _drainAt;
        }

        if (drained)
        {
            _drained.TrySetResult();
        }
    }

    /// <summary>Ends a waiting reader as if the stream had ended.</summary>
    public void Dispose()
    {
        _source.Dispose();
        _drained.TrySetResult();
    }

    private int TryRead(Span<byte> buffer)
    {
        lock (_gate)
        {
            try
            {
                int count = _source.TryRead(buffer);
                _read += Math.Max(count, 0);
                return count;
            }
            catch (ObjectDisposedException)
            {
                return 0;
            }
        }
    }
}
