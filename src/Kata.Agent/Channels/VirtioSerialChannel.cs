using System.Runtime.CompilerServices;
using Kata.Agent.Boot;
using Kata.Agent.Devices;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Channels;

/// <summary>
/// The virtio-serial port named <c>agent.channel.0</c>. While the host's side is not connected the port reads as ended and
/// polls as hung up (drivers/char/virtio_console.c), so a level-triggered wait would spin: the wait here is edge-triggered.
/// </summary>
internal static class VirtioSerialChannel
{
    public const string PortName = "agent.channel.0";

    private const string PortDirectory = "/sys/class/virtio-ports";

    /// <summary>Waits until the port exists and the host is connected to it; the host's boot deadline is the limit.</summary>
    public static async Task<Stream> OpenAsync(DeviceRegistry registry, BootTimings timings)
    {
        string device = await registry.WaitAsync("virtio-ports", static () => Find(PortDirectory), CancellationToken.None);
        timings.Mark("port");
        SafeFileDescriptor port = LinuxException.ThrowIfInvalid(
            LibC.open(device, LibC.O_RDWR | LibC.O_NONBLOCK | LibC.O_CLOEXEC, 0), "open", $"open the virtio-serial port '{device}'");
        await WaitForHostAsync(port);
        return new DescriptorStream(port);
    }

    /// <summary>The device node of the agent's port, or null while the kernel has not announced its name.</summary>
    internal static string? Find(string portDirectory)
    {
        if (!Directory.Exists(portDirectory))
        {
            return null;
        }

        foreach (string port in Directory.EnumerateDirectories(portDirectory))
        {
            string name = Path.Combine(port, "name");
            if (File.Exists(name) && File.ReadAllText(name).TrimEnd('\n') == PortName)
            {
                return "/dev/" + Path.GetFileName(port);
            }
        }

        return null;
    }

    // The event loop knows levels only, but an epoll instance can itself be waited for: it is readable while it has an edge to tell.
    private static async Task WaitForHostAsync(SafeFileDescriptor port)
    {
        using var edges = new PolledDescriptor(
            LinuxException.ThrowIfInvalid(LibC.epoll_create1(LibC.EPOLL_CLOEXEC), "epoll_create1", "wait for the host"));
        WatchEdges(edges.Descriptor, port);
        while (!IsConnected(edges.Descriptor))
        {
            await edges.WaitReadableAsync(CancellationToken.None);
        }
    }

    private static unsafe void WatchEdges(SafeFileDescriptor epoll, SafeFileDescriptor port)
    {
        byte* item = stackalloc byte[16];
        Unsafe.WriteUnaligned(item, LibC.EPOLLIN | LibC.EPOLLOUT | LibC.EPOLLHUP | LibC.EPOLLET);
        Unsafe.WriteUnaligned(item + 8, 0L);
        // SAFETY: one epoll_event, 12 or 16 bytes by architecture; its data is not used.
        LinuxException.ThrowIfNegative(LibC.epoll_ctl(epoll, LibC.EPOLL_CTL_ADD, port, item), "epoll_ctl", "wait for the host");
    }

    // Takes the edge, if there is one.
    private static unsafe bool IsConnected(SafeFileDescriptor epoll)
    {
        byte* item = stackalloc byte[16];
        // SAFETY: room for one item of either layout; the events are its first four bytes in both.
        int count = LibC.epoll_wait(epoll, item, 1, 0);
        return count > 0 && (Unsafe.ReadUnaligned<uint>(item) & LibC.EPOLLHUP) == 0;
    }
}
