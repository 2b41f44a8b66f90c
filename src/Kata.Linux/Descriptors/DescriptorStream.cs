using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// A byte stream over any descriptor that can be polled: pipe, terminal, unix or vsock socket, virtio-serial port.
/// Asynchronous without a thread per stream. One reader and one writer at a time. Owns its descriptor.
/// </summary>
internal sealed class DescriptorStream : Stream
{
    private readonly SafeFileDescriptor _descriptor;
    private readonly PolledDescriptor? _polled; // null for a regular file, which is always ready
    private readonly bool _asksPerCall; // a socket whose O_NONBLOCK is not ours to set

    /// <summary>Takes ownership of <paramref name="descriptor"/> and makes it non-blocking.</summary>
    /// <remarks>
    /// O_NONBLOCK belongs to the open file, not to the descriptor: never wrap a descriptor that another process shares,
    /// reopen it first (<see cref="Reopen"/>).
    /// </remarks>
    public DescriptorStream(SafeFileDescriptor descriptor)
    {
        int flags = LinuxException.ThrowIfNegative(LibC.fcntl_int(descriptor, LibC.F_GETFL, 0), "fcntl(F_GETFL)", "read descriptor flags");
        if ((flags & LibC.O_NONBLOCK) == 0)
        {
            LinuxException.ThrowIfNegative(
                LibC.fcntl_int(descriptor, LibC.F_SETFL, flags | LibC.O_NONBLOCK), "fcntl(F_SETFL)", "make a descriptor non-blocking");
        }

        _descriptor = descriptor;
        _polled = new PolledDescriptor(descriptor);
    }

    private DescriptorStream(SafeFileDescriptor descriptor, PolledDescriptor? polled, bool asksPerCall) =>
        (_descriptor, _polled, _asksPerCall) = (descriptor, polled, asksPerCall);

    public SafeFileDescriptor Descriptor => _descriptor;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>
    /// A stream over a regular file, which cannot be polled and need not be. Reads and writes at the open file's own offset, which
    /// the file's other holders share: unlike <see cref="FileStream"/>, it never writes over what they wrote meanwhile.
    /// </summary>
    public static DescriptorStream OverRegularFile(SafeFileDescriptor descriptor) => new(descriptor, polled: null, asksPerCall: false);

    /// <summary>
    /// A stream over a socket that others hold too. It cannot be reopened, so that each call says by itself that it does not wait, and the
    /// flags of the open file stay as they are. Takes ownership of the descriptor.
    /// </summary>
    public static DescriptorStream OverSharedSocket(SafeFileDescriptor descriptor) =>
        new(descriptor, new PolledDescriptor(descriptor), asksPerCall: true);

    /// <summary>
    /// A new open file for what <paramref name="descriptor"/> points at (pipe, fifo, terminal), so that its flags are ours alone.
    /// </summary>
    /// <exception cref="LinuxException">ENXIO: a socket, which cannot be reopened.</exception>
    public static SafeFileDescriptor Reopen(SafeFileDescriptor descriptor, int flags) =>
        LinuxException.ThrowIfInvalid(
            LibC.open($"/proc/self/fd/{descriptor.Number}", flags | LibC.O_CLOEXEC | LibC.O_NOCTTY, 0), "open", "reopen a descriptor");

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            int count = TryRead(buffer.Span);
            if (count >= 0)
            {
                return count;
            }

            await _polled!.WaitReadableAsync(cancellationToken);
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            int count = TryWrite(buffer.Span);
            if (count >= 0)
            {
                buffer = buffer[count..];
            }
            else
            {
                await _polled!.WaitWritableAsync(cancellationToken);
            }
        }
    }

    /// <summary>
    /// As <see cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/> on a unix socket, with a descriptor beside the first byte. The
    /// caller keeps it.
    /// </summary>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> buffer, SafeFileDescriptor descriptor, CancellationToken cancellationToken)
    {
        int sent;
        while ((sent = TrySend(buffer.Span, descriptor)) < 0)
        {
            await _polled!.WaitWritableAsync(cancellationToken);
        }

        await WriteAsync(buffer[sent..], cancellationToken);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read this stream asynchronously");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Write this stream asynchronously");

    public override void Flush()
    {
        // Every write goes to the kernel at once.
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Reads what is there now. Returns the count, 0 at the end of the stream, or -1 when nothing is waiting.</summary>
    /// <exception cref="LinuxException">Any other refusal. EIO of a terminal whose other side is gone counts as the end.</exception>
    public unsafe int TryRead(Span<byte> buffer)
    {
        // SAFETY: the span is pinned for the call and the kernel writes at most Length bytes into it.
        fixed (byte* first = buffer)
        {
            while (true)
            {
                nint count = _asksPerCall
                    ? LibC.recv(Descriptor, first, (nuint)buffer.Length, LibC.MSG_DONTWAIT)
                    : LibC.read(Descriptor, first, (nuint)buffer.Length);
                if (count >= 0)
                {
                    return (int)count;
                }

                LinuxException error = LinuxException.FromLastErrno("read", "read a stream");
                switch (error.Errno)
                {
                    case Errno.EINTR:
                        continue;
                    case Errno.EAGAIN:
                        return -1;
                    case Errno.EIO or Errno.ECONNRESET:
                        return 0;
                    default:
                        throw error;
                }
            }
        }
    }

    /// <summary>
    /// As <see cref="ReadAsync(Memory{byte}, CancellationToken)"/> on a unix socket; descriptors that come
    /// along are appended, owned by the caller.
    /// </summary>
    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer, List<SafeFileDescriptor> descriptors, CancellationToken cancellationToken)
    {
        while (true)
        {
            int count = DescriptorPassing.Receive(Descriptor, buffer.Span, descriptors);
            if (count >= 0)
            {
                return count;
            }

            await _polled!.WaitReadableAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Completes when <see cref="TryRead"/> would not return -1. One waiter at a time, shared with
    /// <see cref="ReadAsync(Memory{byte}, CancellationToken)"/>.
    /// </summary>
    public Task WaitReadableAsync(CancellationToken cancellationToken) => _polled!.WaitReadableAsync(cancellationToken);

    /// <summary>Completes when a write would not have to wait; of a socket that connects, when it is decided. One waiter.</summary>
    public Task WaitWritableAsync(CancellationToken cancellationToken) => _polled!.WaitWritableAsync(cancellationToken);

    private int TrySend(ReadOnlySpan<byte> buffer, SafeFileDescriptor descriptor)
    {
        try
        {
            return DescriptorPassing.Send(Descriptor, buffer, [descriptor]);
        }
        catch (LinuxException error) when (error.Errno == Errno.EAGAIN)
        {
            return -1;
        }
    }

    private unsafe int TryWrite(ReadOnlySpan<byte> buffer)
    {
        // SAFETY: the span is pinned for the call and the kernel reads at most Length bytes from it.
        fixed (byte* first = buffer)
        {
            while (true)
            {
                nint count = _asksPerCall
                    ? LibC.sendto(Descriptor, first, (nuint)buffer.Length, LibC.MSG_DONTWAIT | LibC.MSG_NOSIGNAL, null, 0)
                    : LibC.write(Descriptor, first, (nuint)buffer.Length);
                if (count >= 0)
                {
                    return (int)count;
                }

                LinuxException error = LinuxException.FromLastErrno("write", "write a stream");
                switch (error.Errno)
                {
                    case Errno.EINTR:
                        continue;
                    case Errno.EAGAIN:
                        return -1;
                    default:
                        throw error;
                }
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            // One closer only: the second of two at once must not close what the first takes out of the event loop.
            ((IDisposable?)_polled ?? _descriptor).Dispose();
        }

        base.Dispose(disposing);
    }
}
