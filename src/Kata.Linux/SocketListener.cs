using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>Accepts connections of a listening unix or vsock socket. Owns the socket.</summary>
internal sealed class SocketListener(SafeFileDescriptor socket) : IDisposable
{
    private readonly PolledDescriptor _polled = new(socket);

    /// <summary>The next connection, non-blocking and CLOEXEC; the caller owns it.</summary>
    /// <exception cref="ObjectDisposedException">The listener was closed while waiting.</exception>
    public async Task<SafeFileDescriptor> AcceptAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            SafeFileDescriptor connection = Accept();
            if (!connection.IsInvalid)
            {
                return connection;
            }

            LinuxException error = LinuxException.FromLastErrno("accept4", "accept a connection");
            connection.Dispose();
            if (error.Errno is Errno.EAGAIN)
            {
                await _polled.WaitReadableAsync(cancellationToken);
            }
            else if (error.Errno is not (Errno.EINTR or Errno.ECONNABORTED))
            {
                throw error;
            }
        }
    }

    public void Dispose() => _polled.Dispose();

    // SAFETY: null means that the peer's address is not wanted.
    private unsafe SafeFileDescriptor Accept() => LibC.accept4(_polled.Descriptor, null, null, LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK);
}
