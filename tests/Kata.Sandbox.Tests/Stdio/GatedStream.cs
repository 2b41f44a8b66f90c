namespace Kata.Sandbox.Tests;

/// <summary>A reader that takes nothing until it is told to, and may go away.</summary>
internal sealed class GatedStream : Stream
{
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly MemoryStream _taken = new();

    public TaskCompletionSource WriteStarted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the writer closed it.</summary>
    public TaskCompletionSource Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Every write fails from now on, as with EPIPE.</summary>
    public bool Broken { get; set; }

    public byte[] Taken => _taken.ToArray();

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public static GatedStream OpenOne()
    {
        var stream = new GatedStream();
        stream.Open();
        return stream;
    }

    public void Open() => _open.TrySetResult();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        WriteStarted.TrySetResult();
        await _open.Task.WaitAsync(cancellationToken);
        if (Broken)
        {
            throw new IOException("Broken pipe");
        }

        _taken.Write(buffer.Span);
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        Closed.TrySetResult();
        base.Dispose(disposing);
    }
}
