using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>Waits for one guest to dial a vsock port of the host (vsock(7)). Connections from any other guest are closed unseen.</summary>
internal sealed class VsockListener : IDisposable
{
    private const uint AnyContext = uint.MaxValue; // VMADDR_CID_ANY: linux/vm_sockets.h

    private readonly PolledDescriptor _polled;

    private VsockListener(SafeFileDescriptor socket) => _polled = new PolledDescriptor(socket);

    /// <summary>Binds a port.</summary>
    /// <exception cref="LinuxException">EADDRINUSE: somebody listens there.</exception>
    public static unsafe VsockListener Listen(uint port)
    {
        SafeFileDescriptor socket = LinuxException.ThrowIfInvalid(
            LibC.socket(LibC.AF_VSOCK, LibC.SOCK_STREAM | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, 0), "socket", "create a vsock socket");
        try
        {
            var address = new SockAddrVm { svm_family = LibC.AF_VSOCK, svm_port = port, svm_cid = AnyContext };
            // SAFETY: the address is a local of the length given.
            LinuxException.ThrowIfNegative(
                LibC.bind(socket, &address, (uint)sizeof(SockAddrVm)), "bind", $"bind the vsock port {port}");
            LinuxException.ThrowIfNegative(LibC.listen(socket, 4), "listen", "listen on vsock");
            return new VsockListener(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The first connection of the guest <paramref name="guestContext"/>, non-blocking; the caller owns it.</summary>
    public async Task<SafeFileDescriptor> AcceptAsync(uint guestContext, CancellationToken cancellationToken)
    {
        while (true)
        {
            SafeFileDescriptor connection = Accept(out uint from);
            if (!connection.IsInvalid)
            {
                if (from == guestContext)
                {
                    return connection;
                }

                connection.Dispose();
                continue;
            }

            LinuxException error = LinuxException.FromLastErrno("accept4", "accept a vsock connection");
            connection.Dispose();
            if (error.Errno is Errno.EAGAIN)
            {
                await _polled.WaitReadableAsync(cancellationToken);
            }
            else if (error.Errno is not (Errno.EINTR or Errno.ECONNABORTED or Errno.ECONNRESET))
            {
                throw error;
            }
        }
    }

    public void Dispose() => _polled.Dispose();

    private unsafe SafeFileDescriptor Accept(out uint from)
    {
        SockAddrVm address = default;
        uint length = (uint)sizeof(SockAddrVm);
        // SAFETY: accept4 writes at most length bytes into the local.
        SafeFileDescriptor connection = LibC.accept4(_polled.Descriptor, &address, &length, LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK);
        from = address.svm_cid;
        return connection;
    }
}
