using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Hypervisor.Qemu;

/// <summary>
/// A byte stream of QEMU's: a socket in the machine's directory at which QEMU listens. Whoever may enter that directory can open the
/// channel, one at a time: the service now, or one that takes the machine over later.
/// </summary>
internal sealed class QemuChannel : IDisposable
{
    private readonly string _path;
    private readonly SafeFileDescriptor _directory; // which may have another name by the time that the channel goes

    private QemuChannel(string path, SafeFileDescriptor directory, SafeFileDescriptor listener) =>
        (_path, _directory, Listener) = (path, directory, listener);

    /// <summary>QEMU's end, listening already. To be disposed when QEMU has its copy: only then a connection ends with QEMU.</summary>
    public SafeFileDescriptor Listener { get; }

    /// <summary>Makes the socket <c>DIRECTORY/NAME.sock</c>.</summary>
    public static QemuChannel Create(string directory, string name)
    {
        string path = PathOf(directory, name);
        File.Delete(path); // of a machine that was killed
        SafeFileDescriptor opened = LinuxException.ThrowIfInvalid(
            LibC.open(directory, LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0), "open", $"open '{directory}'");
        try
        {
            return new QemuChannel(path, opened, UnixSocket.Listen(path, backlog: 1));
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Opens the channel. The caller owns the stream.</summary>
    public DescriptorStream Open() => new(UnixSocket.Connect(_path));

    /// <summary>
    /// Opens a channel of a machine that another process has started, and that nobody has open now. The caller owns the stream.
    /// </summary>
    /// <exception cref="LinuxException">ENOENT, ECONNREFUSED: there is no such machine any more.</exception>
    public static DescriptorStream Open(string directory, string name) => new(UnixSocket.Connect(PathOf(directory, name)));

    /// <summary>Removes the socket; streams that were opened stay.</summary>
    public void Dispose()
    {
        Listener.Dispose();
        if (!_directory.IsClosed)
        {
            _ = LibC.unlinkat(_directory, Path.GetFileName(_path), 0); // else it goes with its directory
            _directory.Dispose();
        }
    }

    private static string PathOf(string directory, string name) => Path.Combine(directory, name + ".sock");
}
