using System.Text;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>Queues of tap devices (Documentation/networking/tuntap.rst).</summary>
internal static class TunDevice
{
    private const string Path = "/dev/net/tun";
    private const int MaxNameBytes = 15; // IFNAMSIZ and its NUL

    /// <summary>
    /// Opens a queue of a tap in the calling thread's network namespace, where the first one makes it and the last one that is closed
    /// removes it. Each frame begins with a virtio header, by which checksums and segments are left to whoever does them best.
    /// </summary>
    /// <param name="name">At most 15 bytes.</param>
    /// <param name="several">Whether it is to have more than one queue; the same for all of them.</param>
    /// <exception cref="LinuxException">ENOENT: the host has no such devices. EBUSY: the name is taken.</exception>
    public static unsafe SafeFileDescriptor OpenTap(string name, bool several)
    {
        SafeFileDescriptor queue = LinuxException.ThrowIfInvalid(
            LibC.open(Path, LibC.O_RDWR | LibC.O_CLOEXEC | LibC.O_NONBLOCK, 0), "open", $"open '{Path}'");
        try
        {
            IfReqFlags request = default;
            Encoding.ASCII.GetBytes(name, new Span<byte>(request.ifr_name, MaxNameBytes)); // the last byte stays NUL
            request.ifr_flags = (short)(LibC.IFF_TAP | LibC.IFF_NO_PI | LibC.IFF_VNET_HDR | (several ? LibC.IFF_MULTI_QUEUE : 0));
            // SAFETY: the request reads and fills one struct ifreq, which lives on this frame.
            LinuxException.ThrowIfNegative(
                LibC.ioctl(queue, LibC.TUNSETIFF, &request), "ioctl(TUNSETIFF)", $"make the tap '{name}'");
            return queue;
        }
        catch
        {
            queue.Dispose();
            throw;
        }
    }
}
