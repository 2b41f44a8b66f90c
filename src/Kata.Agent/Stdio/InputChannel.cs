using Kata.Linux;

namespace Kata.Agent.Stdio;

/// <summary>The standard input of a process: the writing end of its pipe, or the controlling side of its terminal. Thread-safe.</summary>
internal sealed class InputChannel : IDisposable
{
    private readonly DescriptorStream _target;
    private readonly bool _isTerminal;
    private readonly SemaphoreSlim _turn = new(1);
    private volatile bool _closed;

    /// <summary>Takes ownership of <paramref name="target"/>.</summary>
    public InputChannel(DescriptorStream target, bool isTerminal)
    {
        _target = target;
        _isTerminal = isTerminal;
    }

    /// <summary>Writes all of <paramref name="data"/>. False when the process no longer reads: the bytes have nowhere to go.</summary>
    public async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        if (_closed)
        {
            return false;
        }

        await _turn.WaitAsync(cancellationToken);
        try
        {
            await _target.WriteAsync(data, cancellationToken);
            return true;
        }
        catch (Exception error) when (error is ObjectDisposedException or LinuxException { Errno: Errno.EPIPE or Errno.EIO })
        {
            _closed = true;
            return false;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// The process reads the end of its input. A terminal has no end of input: its reader ends it by its own EOF character.
    /// </summary>
    public void Close()
    {
        if (!_isTerminal)
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        _closed = true;
        _target.Dispose();
    }
}
