using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Netlink;

namespace Kata.Network;

/// <summary>A network namespace of the host, which is there for as long as this is. Safe for concurrent use.</summary>
internal sealed class NetworkNamespace : IDisposable
{
    private readonly SafeFileDescriptor _descriptor;

    private NetworkNamespace(string path, SafeFileDescriptor descriptor)
    {
        (Path, _descriptor) = (path, descriptor);
        var status = FileStatus.Of(descriptor);
        (Device, Inode) = (status.Device, status.Inode);
        Netlink = Run(static () => new NetlinkSocket());
    }

    /// <summary>By what it was found. It may be gone, or name another one, by now.</summary>
    public string Path { get; }

    /// <summary>Its number, which no other one that is there has.</summary>
    public ulong Inode { get; }

    /// <summary>The number of the file system that <see cref="Inode"/> is of, as <see cref="FileStatus.Device"/>.</summary>
    public ulong Device { get; }

    /// <summary>What stands for it, to give to the kernel. Borrowed.</summary>
    public SafeFileDescriptor Handle => _descriptor;

    /// <summary>Its links, addresses, routes and so on.</summary>
    public NetlinkSocket Netlink { get; }

    /// <summary>Whether it is the one that this process was started in: the host's, to a pod.</summary>
    public bool IsOurs
    {
        get
        {
            using SafeFileDescriptor ours = LinuxException.ThrowIfInvalid(
                LibC.open("/proc/self/ns/net", LibC.O_RDONLY | LibC.O_CLOEXEC, 0), "open", "open the own network namespace");
            return FileStatus.Of(ours).IsSameFile(FileStatus.Of(_descriptor));
        }
    }

    /// <summary>That of this process: the host's, to a pod.</summary>
    /// <inheritdoc cref="Open"/>
    public static NetworkNamespace OpenOwn() => Open("/proc/self/ns/net", mountNamespace: null);

    /// <summary>Opens one by a file that stands for it.</summary>
    /// <param name="path">Absolute: <c>/run/netns/NAME</c>, <c>/proc/PID/ns/net</c>.</param>
    /// <param name="mountNamespace">Where the path is looked up; null for our own. Borrowed.</param>
    /// <exception cref="NetworkException">There is nothing, or something else.</exception>
    public static NetworkNamespace Open(string path, SafeFileDescriptor? mountNamespace)
    {
        SafeFileDescriptor? descriptor = null;
        try
        {
            descriptor = NamespaceThread.RunIn(mountNamespace, "the pod's caller", () => LinuxException.ThrowIfInvalid(
                LibC.open(path, LibC.O_RDONLY | LibC.O_CLOEXEC | LibC.O_NONBLOCK, 0), "open", $"open '{path}'"));
            if (!NamespaceFile.Is(descriptor, LibC.CLONE_NEWNET))
            {
                throw new NetworkException(
                    $"Cannot use '{path}' as the pod's network: it is no network namespace. "
                        + "Name one, as /run/netns/NAME or /proc/PID/ns/net");
            }

            return new NetworkNamespace(path, descriptor);
        }
        catch (Exception error) when (error is LinuxException or NetlinkException)
        {
            descriptor?.Dispose();
            throw new NetworkException($"Cannot use '{path}' as the pod's network", error);
        }
        catch
        {
            descriptor?.Dispose();
            throw;
        }
    }

    /// <summary>Runs <paramref name="work"/> on a thread of its own in there. Blocks the caller; keep it short.</summary>
    public T Run<T>(Func<T> work) => NamespaceThread.Run(() =>
    {
        Enter();
        return work();
    });

    /// <summary>Has the calling thread, one of a <see cref="NamespaceThread"/>, be in there from now on.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public void Enter() => LinuxException.ThrowIfNegative(
        LibC.setns(_descriptor, LibC.CLONE_NEWNET), "setns", $"enter the network namespace '{Path}'");

    public void Dispose()
    {
        Netlink.Dispose();
        _descriptor.Dispose();
    }
}
