using System.Text;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>Unix stream sockets: listening, dialling, pairs. Every descriptor is CLOEXEC and non-blocking.</summary>
internal static class UnixSocket
{
    /// <summary><c>sun_path</c> of <c>struct sockaddr_un</c>, with its final NUL.</summary>
    private const int PathCapacity = 108;

    /// <summary>One program connects, and again when it was restarted.</summary>
    private const int GroupBacklog = 8;

    /// <summary>Binds and listens at <paramref name="path"/>, mode 0600. The caller owns the result and removes the file.</summary>
    /// <exception cref="LinuxException">EADDRINUSE: the file exists.</exception>
    public static SafeFileDescriptor Listen(string path, int backlog = 4096)
    {
        SafeFileDescriptor socket = NewSocket();
        try
        {
            using SafeFileDescriptor directory = OpenDirectoryOf(path);
            // The socket file gets mode 0777 & ~umask; the directory around it is 0700, and chmod closes it for good.
            WithAddress(directory, path, (address, length) =>
                LinuxException.ThrowIfNegative(Bind(socket, address, length), "bind", $"bind the socket '{path}'"));
            LinuxException.ThrowIfNegative(LibC.chmod(path, FileModes.Private), "chmod", $"protect the socket '{path}'");
            LinuxException.ThrowIfNegative(LibC.listen(socket, backlog), "listen", $"listen on the socket '{path}'");
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Binds and listens at <paramref name="path"/>, mode 0660, in a directory that may be another one's: the file gets its mode as it is
    /// made, and is not looked for by its name again. The directory's group has it where the directory says so (set-group-ID). Changes the
    /// calling thread's umask, which has to be its own: <see cref="NamespaceThread.RunIn"/>. The caller owns the result and removes the
    /// file.
    /// </summary>
    /// <exception cref="LinuxException">EADDRINUSE: the file exists. ENOENT: there is no such directory.</exception>
    public static SafeFileDescriptor ListenForGroup(string path)
    {
        SafeFileDescriptor socket = NewSocket();
        try
        {
            using SafeFileDescriptor directory = OpenDirectoryOf(path);
            _ = LibC.umask(FileModes.OthersMask);
            WithAddress(directory, path, (address, length) =>
                LinuxException.ThrowIfNegative(Bind(socket, address, length), "bind", $"bind the socket '{path}'"));
            LinuxException.ThrowIfNegative(LibC.listen(socket, GroupBacklog), "listen", $"listen on the socket '{path}'");
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Binds a datagram socket at <paramref name="path"/>. The caller owns the result and removes the file.</summary>
    /// <exception cref="LinuxException">EADDRINUSE: the file exists.</exception>
    public static SafeFileDescriptor BindDatagram(string path, uint mode)
    {
        SafeFileDescriptor socket = NewSocket(LibC.SOCK_DGRAM);
        try
        {
            using SafeFileDescriptor directory = OpenDirectoryOf(path);
            WithAddress(directory, path, (address, length) =>
                LinuxException.ThrowIfNegative(Bind(socket, address, length), "bind", $"bind the socket '{path}'"));
            LinuxException.ThrowIfNegative(LibC.chmod(path, mode), "chmod", $"open the socket '{path}' to its senders");
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Connects a datagram socket to the one at <paramref name="path"/>; a leading '@' is an abstract name. The caller owns the result.
    /// </summary>
    /// <exception cref="LinuxException">ENOENT or ECONNREFUSED: nobody receives.</exception>
    public static SafeFileDescriptor ConnectDatagram(string path)
    {
        SafeFileDescriptor socket = NewSocket(LibC.SOCK_DGRAM);
        try
        {
            if (path.StartsWith('@'))
            {
                WithAbstractAddress(path, (address, length) =>
                    LinuxException.ThrowIfNegative(ConnectTo(socket, address, length), "connect", $"connect to the socket '{path}'"));
                return socket;
            }

            using SafeFileDescriptor directory = OpenDirectoryOf(path);
            WithAddress(directory, path, (address, length) =>
                LinuxException.ThrowIfNegative(ConnectTo(socket, address, length), "connect", $"connect to the socket '{path}'"));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Connects to the listener at <paramref name="path"/>. The caller owns the result.</summary>
    /// <exception cref="LinuxException">ENOENT or ECONNREFUSED: nobody listens. EAGAIN: its queue is full.</exception>
    public static SafeFileDescriptor Connect(string path)
    {
        SafeFileDescriptor socket = NewSocket();
        try
        {
            using SafeFileDescriptor directory = OpenDirectoryOf(path);
            WithAddress(directory, path, (address, length) =>
                LinuxException.ThrowIfNegative(ConnectTo(socket, address, length), "connect", $"connect to the socket '{path}'"));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Two connected stream sockets, both blocking state as <paramref name="nonBlocking"/> says. The caller owns both.</summary>
    public static unsafe (SafeFileDescriptor First, SafeFileDescriptor Second) Pair(bool nonBlocking = true)
    {
        int* fds = stackalloc int[2];
        int type = LibC.SOCK_STREAM | LibC.SOCK_CLOEXEC | (nonBlocking ? LibC.SOCK_NONBLOCK : 0);
        // SAFETY: socketpair fills exactly two ints.
        LinuxException.ThrowIfNegative(LibC.socketpair(LibC.AF_UNIX, type, 0, fds), "socketpair", "create a socket pair");
        return (new SafeFileDescriptor(fds[0]), new SafeFileDescriptor(fds[1]));
    }

    /// <summary>Process id, user and group of the process that connected.</summary>
    public static unsafe UCred PeerCredentials(SafeFileDescriptor socket)
    {
        UCred credentials;
        uint length = (uint)sizeof(UCred);
        // SAFETY: the kernel writes at most length bytes into the local.
        LinuxException.ThrowIfNegative(
            LibC.getsockopt(socket, LibC.SOL_SOCKET, LibC.SO_PEERCRED, &credentials, &length),
            "getsockopt(SO_PEERCRED)",
            "identify a peer");
        return credentials;
    }

    private static SafeFileDescriptor NewSocket(int type = LibC.SOCK_STREAM) => LinuxException.ThrowIfInvalid(
        LibC.socket(LibC.AF_UNIX, type | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, 0), "socket", "create a unix socket");

    private static SafeFileDescriptor OpenDirectoryOf(string path)
    {
        string directory = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
        return LinuxException.ThrowIfInvalid(
            LibC.open(directory, LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0), "open", $"open the directory '{directory}'");
    }

    // A path longer than sun_path is reached through the directory's descriptor: /proc/self/fd/N/name.
    private static unsafe void WithAddress(SafeFileDescriptor directory, string path, Action<nint, uint> call)
    {
        byte[] name = Encoding.UTF8.GetBytes(Path.GetFullPath(path));
        if (name.Length >= PathCapacity)
        {
            name = Encoding.UTF8.GetBytes($"/proc/self/fd/{directory.Number}/{Path.GetFileName(path)}");
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(name.Length, PathCapacity, nameof(path));
        }

        byte* address = stackalloc byte[2 + PathCapacity];
        new Span<byte>(address, 2 + PathCapacity).Clear();
        *(ushort*)address = LibC.AF_UNIX;
        name.CopyTo(new Span<byte>(address + 2, PathCapacity));
        // SAFETY: the address lives on this frame until the call returns; name is shorter than the buffer.
        call((nint)address, (uint)(2 + name.Length + 1));
    }

    // unix(7): a NUL in the place of the '@', and no NUL at the end.
    private static unsafe void WithAbstractAddress(string path, Action<nint, uint> call)
    {
        byte[] name = Encoding.UTF8.GetBytes(path);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(name.Length, PathCapacity, nameof(path));
        byte* address = stackalloc byte[2 + PathCapacity];
        *(ushort*)address = LibC.AF_UNIX;
        name[0] = 0;
        name.CopyTo(new Span<byte>(address + 2, PathCapacity));
        // SAFETY: the address lives on this frame until the call returns; name is no longer than the buffer.
        call((nint)address, (uint)(2 + name.Length));
    }

    // SAFETY: WithAddress gives an address that lives during the call, and its length.
    private static unsafe int Bind(SafeFileDescriptor socket, nint address, uint length) => LibC.bind(socket, (void*)address, length);

    // SAFETY: as for Bind.
    private static unsafe int ConnectTo(SafeFileDescriptor socket, nint address, uint length) =>
        LibC.connect(socket, (void*)address, length);
}
