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
    public static List<SafeFileDescriptor> MakeTap(string name, int queues) =>
        OpenQueues(name, queues, LibC.IFF_TUN_EXCL); // so that the first does not become a queue of a tap that somebody else has made

    /// <summary>
    /// Opens queues of a tap of the calling thread's network namespace that somebody has made, in the form of <see cref="MakeTap"/>'s. The
    /// caller has seen that it is there: else it would be made.
    /// </summary>
    /// <param name="name">At most 15 bytes.</param>
    /// <param name="queues">How many queues: one, or several of a tap that was made for several.</param>
    /// <returns>The queues, which are the caller's. The tap stays when they are closed, if it was made to.</returns>
    /// <exception cref="LinuxException">
    /// EBUSY: another has it open. EINVAL: it was made for several queues, or for one, or is no tap.
    /// </exception>
    public static List<SafeFileDescriptor> OpenTap(string name, int queues) => OpenQueues(name, queues, ofFirst: 0);

    private static List<SafeFileDescriptor> OpenQueues(string name, int queues, int ofFirst)
    {
        int flags = LibC.IFF_TAP | LibC.IFF_NO_PI | LibC.IFF_VNET_HDR | (queues > 1 ? LibC.IFF_MULTI_QUEUE : 0);
        var opened = new List<SafeFileDescriptor>(queues);
        try
        {
            while (opened.Count < queues)
            {
                opened.Add(Open(name, opened.Count == 0 ? flags | ofFirst : flags));
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
                LibC.ioctl(queue, LibC.TUNSETIFF, &request), "ioctl(TUNSETIFF)", $"open the tap '{name}'");
            return queue;
        }
        catch
        {
            queue.Dispose();
            throw;
        }
    }
}
