using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>A unix socket that takes datagrams of anybody who can reach its file. Owns its descriptor and the file.</summary>
internal sealed class DatagramReceiver : IDisposable
{
    /// <summary>The longest datagram that is taken whole.</summary>
    public const int Limit = 4096;

    private readonly PolledDescriptor _socket;

    /// <param name="path">Where; a file that is there goes.</param>
    /// <param name="mode">Of the file.</param>
    public DatagramReceiver(string path, uint mode)
    {
        Path = path;
        File.Delete(path);
        _socket = new PolledDescriptor(UnixSocket.BindDatagram(path, mode));
    }

    public string Path { get; }

    /// <summary>Waits for one datagram. What is beyond <see cref="Limit"/> bytes is thrown away, as are descriptors beside it.</summary>
    /// <exception cref="ObjectDisposedException">Disposed meanwhile.</exception>
    public async Task<byte[]> ReceiveAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[Limit];
        int count;
        while ((count = TryReceive(buffer)) < 0)
        {
            await _socket.WaitReadableAsync(cancellationToken);
        }

        return buffer[..count];
    }

    public void Dispose()
    {
        _socket.Dispose();
        try
        {
            File.Delete(Path);
        }
        catch (DirectoryNotFoundException)
        {
            // it went with its directory
        }
    }

    private unsafe int TryReceive(byte[] buffer)
    {
        // SAFETY: the buffer is pinned for the call, and its length is given. Without room for control data the kernel closes descriptors.
        fixed (byte* first = buffer)
        {
            var part = new IoVec { iov_base = first, iov_len = (nuint)buffer.Length };
            var message = new MsgHdr { msg_iov = &part, msg_iovlen = 1 };
            while (true)
            {
                nint count = LibC.recvmsg(_socket.Descriptor, &message, LibC.MSG_DONTWAIT);
                if (count >= 0)
                {
                    return (int)count;
                }

                LinuxException error = LinuxException.FromLastErrno("recvmsg", $"receive from the socket '{Path}'");
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
}
