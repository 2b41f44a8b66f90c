using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>Accepts connections of a listening unix or vsock socket. Owns the socket.</summary>
/// <param name="socket">It listens.</param>
/// <param name="shortage">Told once when connections must wait because the process or the host lacks descriptors or memory.</param>
internal sealed class SocketListener(SafeFileDescriptor socket, Action<LinuxException>? shortage = null) : IDisposable
{
    /// <summary>Between two attempts during a shortage: the socket stays readable, so no event tells of its end.</summary>
    private static readonly TimeSpan s_shortagePause = TimeSpan.FromMilliseconds(100);

    private readonly PolledDescriptor _polled = new(socket);

    /// <summary>The next connection, non-blocking and CLOEXEC; the caller owns it.</summary>
    /// <exception cref="ObjectDisposedException">The listener was closed while waiting.</exception>
    public async Task<SafeFileDescriptor> AcceptAsync(CancellationToken cancellationToken)
    {
        bool told = false;
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
            else if (error.Errno is Errno.EMFILE or Errno.ENFILE or Errno.ENOBUFS or Errno.ENOMEM)
            {
                // It passes, and whoever listens must live to see that.
                if (!told)
                {
                    shortage?.Invoke(error);
                    told = true;
                }

                await Task.Delay(s_shortagePause, TimeProvider.System, cancellationToken);
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
