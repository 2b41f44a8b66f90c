using System.IO.Compression;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Boot;

/// <summary>
/// A kernel module of the image: a <c>.ko</c> as the kernel takes it, or a <c>.ko.gz</c>, of those that few guests load. All of the image
/// is in the guest's memory from its start, and Debian's kernel does not unpack modules itself.
/// </summary>
internal static class ModuleFile
{
    private const string Compressed = ".gz";
    private const int SizeLimit = 64 * 1024 * 1024; // the largest of Debian's have a few MiB

    /// <summary>All that the image has.</summary>
    public static IEnumerable<string> All(string directory) => !Directory.Exists(directory) ? []
        : Directory.EnumerateFiles(directory, "*.ko*", SearchOption.AllDirectories)
            .Where(static path =>
                path.EndsWith(".ko", StringComparison.Ordinal) || path.EndsWith(".ko" + Compressed, StringComparison.Ordinal));

    /// <summary>The module's name in a path, as the file has it.</summary>
    public static string NameOf(string path) =>
        Path.GetFileNameWithoutExtension(path.EndsWith(Compressed, StringComparison.Ordinal) ? path[..^Compressed.Length] : path);

    /// <summary>The module as the kernel takes it.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static byte[] Read(string path)
    {
        if (!path.EndsWith(Compressed, StringComparison.Ordinal))
        {
            return File.ReadAllBytes(path);
        }

        using FileStream file = File.OpenRead(path);
        using var content = new GZipStream(file, CompressionMode.Decompress);
        var module = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        int count;
        while ((count = content.Read(buffer)) > 0)
        {
            module.Write(buffer, 0, count);
            if (module.Length > SizeLimit)
            {
                throw new InvalidDataException($"Cannot unpack the kernel module '{path}': it has more than {SizeLimit} bytes");
            }
        }

        return module.ToArray();
    }

    /// <summary>Gives one to the kernel that is not compressed. Null when it is there now, also when it was before.</summary>
    public static LinuxException? TryLoad(string path, string parameters) => Unless(Errno.EEXIST, LoadFile(path, parameters));

    /// <summary>Likewise, with what was read of it.</summary>
    public static LinuxException? TryLoad(string path, byte[] module, string parameters) =>
        Unless(Errno.EEXIST, LoadContent(path, module, parameters));

    private static LinuxException? Unless(Errno errno, LinuxException? error) => error?.Errno == errno ? null : error;

    private static LinuxException? LoadFile(string path, string parameters)
    {
        using SafeFileDescriptor module = LibC.open(path, LibC.O_RDONLY | LibC.O_CLOEXEC, 0);
        return module.IsInvalid ? LinuxException.FromLastErrno("open", $"open '{path}'")
            : LibC.finit_module(module, parameters) == 0 ? null
            : LinuxException.FromLastErrno("finit_module", $"load the kernel module '{path}'");
    }

    private static unsafe LinuxException? LoadContent(string path, byte[] module, string parameters)
    {
        // SAFETY: the array is pinned for the call, in which the kernel copies it.
        fixed (byte* first = module)
        {
            return LibC.init_module(first, (nuint)module.Length, parameters) == 0
                ? null : LinuxException.FromLastErrno("init_module", $"load the kernel module '{path}'");
        }
    }
}
