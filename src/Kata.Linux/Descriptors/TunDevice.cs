using System.Text;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>Queues of tap devices (Documentation/networking/tuntap.rst).</summary>
internal static class TunDevice
{
    private const string Path = "/dev/net/tun";
    private const int MaxNameBytes = 15; // IFNAMSIZ and its NUL

    /// <summary>
    /// Makes a tap in the calling thread's network namespace and opens queues of it; the last one that is closed removes it. Each frame
    /// begins with a virtio header, by which checksums and segments are left to whoever does them best.
    /// </summary>
    /// <param name="name">At most 15 bytes.</param>
    /// <param name="queues">How many queues, from 1.</param>
    /// <returns>The queues, which are the caller's.</returns>
    /// <exception cref="LinuxException">ENOENT: the host has no such devices. EBUSY: the name is taken.</exception>
    public static List<SafeFileDescriptor> MakeTap(string name, int queues)
    {
        int flags = LibC.IFF_TAP | LibC.IFF_NO_PI | LibC.IFF_VNET_HDR | (queues > 1 ? LibC.IFF_MULTI_QUEUE : 0);
        var opened = new List<SafeFileDescriptor>(queues);
        try
        {
            while (opened.Count < queues)
            {
                // The first one must not become a queue of a tap that somebody else has made.
                opened.Add(Open(name, opened.Count == 0 ? flags | LibC.IFF_TUN_EXCL : flags));
            }

            return opened;
        }
        catch
        {
            opened.ForEach(static queue => queue.Dispose());
            throw;
        }
    }

    private static unsafe SafeFileDescriptor Open(string name, int flags)
    {
        SafeFileDescriptor queue = LinuxException.ThrowIfInvalid(
            LibC.open(Path, LibC.O_RDWR | LibC.O_CLOEXEC | LibC.O_NONBLOCK, 0), "open", $"open '{Path}'");
        try
        {
            IfReqFlags request = default;
            Encoding.ASCII.GetBytes(name, new Span<byte>(request.ifr_name, MaxNameBytes)); // the last byte stays NUL
            request.ifr_flags = (short)flags;
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
