using System.Globalization;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>Queues of macvtaps. Each has a character device, whose node nobody has made in most network namespaces.</summary>
internal static class MacvtapDevice
{
    /// <summary>
    /// Opens queues of a macvtap of the calling thread's network namespace, whose frames are as those of a <see cref="TunDevice"/>.
    /// </summary>
    /// <param name="name">The link's name.</param>
    /// <param name="index">The link's number.</param>
    /// <param name="queues">How many queues, from 1.</param>
    /// <returns>The queues, which are the caller's. The link stays when they are closed.</returns>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    /// <exception cref="IOException">There is no such macvtap.</exception>
    public static List<SafeFileDescriptor> Open(string name, int index, int queues)
    {
        ulong number = NumberOf(name, index);
        // A file system that nobody else sees has the node for as long as it is needed.
        using DetachedMount nodes = DetachedMount.New("tmpfs");
        string node = $"/proc/self/fd/{nodes.Descriptor.Number}/tap";
        LinuxException.ThrowIfNegative(
            LibC.mknod(node, LibC.S_IFCHR | FileModes.Private, number), "mknod", $"make a node for the macvtap '{name}'");
        var opened = new List<SafeFileDescriptor>(queues);
        try
        {
            while (opened.Count < queues)
            {
                SafeFileDescriptor queue = LinuxException.ThrowIfInvalid(
                    LibC.open(node, LibC.O_RDWR | LibC.O_CLOEXEC | LibC.O_NONBLOCK, 0), "open", $"open the macvtap '{name}'");
                opened.Add(queue);
                SetFormat(queue, name, LibC.IFF_TAP | LibC.IFF_NO_PI | LibC.IFF_VNET_HDR | (queues > 1 ? LibC.IFF_MULTI_QUEUE : 0));
            }

            return opened;
        }
        catch
        {
            opened.ForEach(static queue => queue.Dispose());
            throw;
        }
    }

    private static unsafe void SetFormat(SafeFileDescriptor queue, string name, int flags)
    {
        IfReqFlags request = default;
        request.ifr_flags = (short)flags;
        // SAFETY: the request reads one struct ifreq, which lives on this frame.
        LinuxException.ThrowIfNegative(
            LibC.ioctl(queue, LibC.TUNSETIFF, &request), "ioctl(TUNSETIFF)", $"set up a queue of the macvtap '{name}'");
    }

    // sysfs shows the network namespace that it is made in: the mounted one shows another.
    private static ulong NumberOf(string name, int index)
    {
        using DetachedMount devices = DetachedMount.New("sysfs");
        string[] numbers = File.ReadAllText(string.Create(
            CultureInfo.InvariantCulture, $"/proc/self/fd/{devices.Descriptor.Number}/class/net/{name}/tap{index}/dev")).Trim().Split(':');
        return MakeDevice(ulong.Parse(numbers[0], CultureInfo.InvariantCulture), ulong.Parse(numbers[1], CultureInfo.InvariantCulture));
    }

    // makedev(3)
    private static ulong MakeDevice(ulong major, ulong minor) =>
        ((major & 0xFFFFF000) << 32) | ((major & 0xFFF) << 8) | ((minor & 0xFFFFFF00) << 12) | (minor & 0xFF);
}
