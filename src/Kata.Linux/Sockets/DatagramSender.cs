using System.Text;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>Sends datagrams to one unix socket, by its path each time and without ever waiting. Thread-safe; owns its descriptor.</summary>
internal sealed class DatagramSender : IDisposable
{
    /// <summary><c>sun_path</c> of <c>struct sockaddr_un</c>, with its final NUL.</summary>
    private const int PathCapacity = 108;

    private readonly byte[] _address;
    private readonly SafeFileDescriptor _socket;

    /// <param name="path">The receiver; it need not be there yet, or still.</param>
    public DatagramSender(string path)
    {
        byte[] name = Encoding.UTF8.GetBytes(path);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(name.Length, PathCapacity, nameof(path));
        _address = [LibC.AF_UNIX, 0, .. name, 0]; // sun_family is two bytes, in the order of x86-64 and arm64
        _socket = LinuxException.ThrowIfInvalid(
            LibC.socket(LibC.AF_UNIX, LibC.SOCK_DGRAM | LibC.SOCK_CLOEXEC, 0), "socket", "create a datagram socket");
    }

    /// <summary>Sends one datagram as a whole, or nothing: the receiver is not there, has no room now, or never takes so much.</summary>
    public unsafe bool TrySend(ReadOnlySpan<byte> data)
    {
        // SAFETY: both buffers are pinned for the call, and the lengths are theirs.
        fixed (byte* first = data, address = _address)
        {
            nint sent;
            do
            {
                sent = LibC.sendto(
                    _socket, first, (nuint)data.Length, LibC.MSG_DONTWAIT | LibC.MSG_NOSIGNAL, address, (uint)_address.Length);
            }
            while (sent < 0 && System.Runtime.InteropServices.Marshal.GetLastPInvokeError() == (int)Errno.EINTR);

            return sent >= 0;
        }
    }

    public void Dispose() => _socket.Dispose();
}
