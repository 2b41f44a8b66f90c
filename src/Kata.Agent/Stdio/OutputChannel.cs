using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Stdio;

/// <summary>
/// One output stream of a process: the reading end of its pipe, or the controlling side of its terminal. Nothing is read before
/// somebody takes it, so a writer without a reader fills the pipe and blocks alone. One reader at a time (<see cref="Turn"/>).
/// </summary>
/// <remarks>
/// Drained means: the process has ended, and what it had written by then was delivered. What a descendant writes later does not
/// count, or one that writes for ever would keep the exit back for ever. The length of the pipe at the exit decides. A terminal does
/// not tell its own: what was written to it comes to the reader's side by a worker of the kernel, in parts, so that it is drained
/// when a read finds nothing, which looks after that worker (n_tty(4), drivers/tty/n_tty.c), or when all that it can hold has come.
/// </remarks>
internal sealed class OutputChannel : IDisposable
{
    /// <summary>More than a terminal holds on its way: the reader's 4 KiB, and what a writer may be ahead of it.</summary>
    private const int TerminalBytes = 64 * 1024;

    private readonly DescriptorStream _source;
    private readonly bool _isTerminal;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _read; // guarded by _gate
    private long _delivered; // guarded by _gate
    private long? _drainAt; // guarded by _gate
    private bool _ended; // guarded by _gate

    /// <summary>Takes ownership of <paramref name="source"/>.</summary>
    public OutputChannel(DescriptorStream source, bool isTerminal) => (_source, _isTerminal) = (source, isTerminal);

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
                return _isTerminal && count > 0 ? count + ReadOn(buffer.Span[count..]) : count;
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
        lock (_gate)
        {
            _delivered += bytes;
            _ended |= bytes == 0;
        }

        CheckDrained();
    }

    /// <summary>The process has ended: what is in the pipe now is the last of it.</summary>
    public void ProcessEnded()
    {
        lock (_gate)
        {
            try
            {
                _drainAt = _read + (!_isTerminal ? BytesWaiting() : Readiness.IsReadable(_source.Descriptor) ? TerminalBytes : 0);
            }
            catch (ObjectDisposedException)
            {
                _drainAt = _read;
            }
        }

        CheckDrained();
    }

    /// <summary>Ends a waiting reader as if the stream had ended.</summary>
    public void Dispose()
    {
        _source.Dispose();
        _drained.TrySetResult();
    }

    // A terminal gives 4 KiB a read at most, and of a program that writes line by line often one: a frame for each would cost several times
    // what it carries. Each read wakes the kernel's worker, which brings what the program has written meanwhile.
    private int ReadOn(Span<byte> buffer)
    {
        int count = 0;
        while (count < buffer.Length && TryRead(buffer[count..]) is > 0 and var more)
        {
            count += more; // the end, if it came instead, comes again
        }

        return count;
    }

    private int TryRead(Span<byte> buffer)
    {
        int count;
        lock (_gate)
        {
            try
            {
                count = _source.TryRead(buffer);
            }
            catch (ObjectDisposedException)
            {
                return 0;
            }

            _read += Math.Max(count, 0);
            if (count < 0 && _drainAt is not null)
            {
                _drainAt = _read; // it is empty: what the process had written is read, and delivered, as its reader comes for more
            }
        }

        if (count < 0)
        {
            CheckDrained();
        }

        return count;
    }

    // SAFETY: FIONREAD fills one int. An error leaves 0: then nothing more is promised.
    private unsafe int BytesWaiting()
    {
        int waiting = 0;
        _ = LibC.ioctl(_source.Descriptor, LibC.FIONREAD, &waiting);
        return waiting;
    }

    private void CheckDrained()
    {
        bool drained;
        lock (_gate)
        {
            drained = _ended || _delivered >= _drainAt;
        }

        if (drained)
        {
            _drained.TrySetResult();
        }
    }
}
