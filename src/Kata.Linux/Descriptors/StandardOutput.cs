using System.Text;

namespace Kata.Linux;

/// <summary>
/// Standard output or standard error, written as they are. .NET's own streams first make a terminal ready for reading keys: escape
/// sequences, and handlers of signals that are no business of a command that runs others.
/// </summary>
/// <param name="number">1 or 2. The descriptor is borrowed.</param>
internal sealed class StandardOutput(int number) : Stream
{
    private const int StandardError = 2;

    private readonly SafeFileDescriptor _descriptor = new(number, ownsHandle: false);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>From now on <see cref="Console.Out"/> and <see cref="Console.Error"/> write here.</summary>
    public static void BecomeTheConsole()
    {
        Console.SetOut(Writer(1));
        Console.SetError(Writer(StandardError));
    }

    /// <summary>Writes all of it, and waits where nobody reads. What a reader who is gone would have got is dropped.</summary>
    /// <exception cref="LinuxException">Standard output cannot be written, for example for want of space.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            try
            {
                buffer = buffer[DescriptorWriter.Write(_descriptor, buffer, "write to standard output")..];
            }
            catch (LinuxException error) when (error.Errno == Errno.EAGAIN)
            {
                Readiness.WaitWritable(_descriptor); // another process has it too, and made it non-blocking
            }
            catch (LinuxException error) when (error.Errno == Errno.EPIPE || number == StandardError)
            {
                return; // of an error that cannot be told nobody can be told: the exit code still says that there was one
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // Every write goes to the kernel at once.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private static StreamWriter Writer(int number) =>
        new(new StandardOutput(number), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), bufferSize: 256) { AutoFlush = true };
}
