using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;

namespace Kata.Testing;

/// <summary>
/// One end of a connection within the process, with a socket's habits: a bounded buffer each way, end of stream when the other end is
/// disposed, <see cref="IOException"/> when writing to a disposed peer. Disposing an end also ends its own pending reads and writes.
/// </summary>
[SuppressMessage("Naming", "CA1710", Justification = "It is named for what it is in a test: both ends of a connection")]
public sealed class InMemoryDuplex : Stream
{
    private readonly PipeReader _reader;
    private readonly PipeWriter _writer;
    private readonly CancellationTokenSource _disposed = new();

    private InMemoryDuplex(PipeReader reader, PipeWriter writer)
    {
        _reader = reader;
        _writer = writer;
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <param name="bufferSize">A writer waits when this many bytes were not read yet.</param>
    public static (InMemoryDuplex First, InMemoryDuplex Second) CreatePair(int bufferSize = 64 * 1024)
    {
        var options = new PipeOptions(
            pauseWriterThreshold: bufferSize, resumeWriterThreshold: (bufferSize / 2) + 1, useSynchronizationContext: false);
        var one = new Pipe(options);
        var two = new Pipe(options);
        return (new InMemoryDuplex(one.Reader, two.Writer), new InMemoryDuplex(two.Reader, one.Writer));
    }

    /// <summary>The other end reads the end of the stream; this one can still read.</summary>
    public void CloseWriting() => _writer.Complete();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposed.Token);
        ReadResult result;
        try
        {
            result = await _reader.ReadAsync(either.Token);
        }
        catch (Exception exception)
            when (_disposed.IsCancellationRequested && exception is OperationCanceledException or InvalidOperationException)
        {
            throw new ObjectDisposedException(nameof(InMemoryDuplex), exception);
        }

        int count = (int)Math.Min(buffer.Length, result.Buffer.Length);
        var taken = result.Buffer.Slice(0, count);
        int copied = 0;
        foreach (ReadOnlyMemory<byte> segment in taken)
        {
            segment.CopyTo(buffer[copied..]);
            copied += segment.Length;
        }

        _reader.AdvanceTo(taken.End);
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposed.Token);
        FlushResult result;
        try
        {
            result = await _writer.WriteAsync(buffer, either.Token);
        }
        catch (Exception exception)
            when (_disposed.IsCancellationRequested && exception is OperationCanceledException or InvalidOperationException)
        {
            throw new ObjectDisposedException(nameof(InMemoryDuplex), exception);
        }

        if (result.IsCompleted) throw new IOException("The other end was closed");
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed.IsCancellationRequested)
        {
            _disposed.Cancel();
            _writer.Complete();
            _reader.CancelPendingRead();
            _reader.Complete();
        }

        base.Dispose(disposing);
    }
}
