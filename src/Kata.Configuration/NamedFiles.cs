using System.Globalization;
using System.Runtime.InteropServices;
namespace Kata.Configuration;

/// <summary>
/// Whether the files that a configuration names are there and are what they are named as. For the person who checks a configuration:
/// the file can be another one a moment later, so the commands do not rely on it.
/// </summary>
internal static class NamedFiles
{
    private const int HeadBytes = 0x208;

    /// <summary>Offset and bytes that every kernel image begins with which a monitor boots directly.</summary>
    private static readonly (int Offset, byte[] Magic)[] s_kernels =
    [
        (0x202, "HdrS"u8.ToArray()), // x86 bzImage, Documentation/arch/x86/boot.rst
        (0, [0x7f, (byte)'E', (byte)'L', (byte)'F']), // vmlinux, for its PVH entry
        (0x38, "ARM\x64"u8.ToArray()), // arm64 Image, Documentation/arch/arm64/booting.rst
        (0, [0x1f, 0x8b]), // arm64 Image.gz
    ];

    /// <summary>What the kernel unpacks as an initial RAM disk: cpio(5) in two forms, or one of lib/decompress.c's compressions.</summary>
    private static readonly (int Offset, byte[] Magic)[] s_ramDisks =
    [
        (0, "070701"u8.ToArray()), (0, "070702"u8.ToArray()),
        (0, [0x1f, 0x8b]), (0, [0x1f, 0x9e]), (0, "BZh"u8.ToArray()), (0, [0x5d, 0x00, 0x00]),
        (0, [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]),
        (0, [0x89, (byte)'L', (byte)'Z', (byte)'O']), (0, [0x02, 0x21, 0x4c, 0x18]), (0, [0x28, 0xb5, 0x2f, 0xfd]),
    ];

    /// <summary>Everything that is wrong with the files, each with the place that names it.</summary>
    internal static IEnumerable<ConfigurationException> Find(KataConfiguration configuration)
    {
        HypervisorConfig hypervisor = configuration.Hypervisor;
        return new[]
        {
            CheckProgram(configuration, "hypervisor.path", hypervisor.Path, "Install 'qemu-system-x86', or name the monitor's executable"),
            CheckProgram(
                configuration,
                "hypervisor.virtio_fs_daemon",
                hypervisor.VirtioFsDaemonPath,
                "Install 'virtiofsd' (Debian 12: 'qemu-system-common'), or name the virtiofsd executable"),
            CheckEntropySource(configuration, hypervisor.EntropySource),
            CheckGuest(
                configuration, "hypervisor.kernel", hypervisor.KernelPath, s_kernels, "a kernel image",
                "Run 'make install' (in a clone 'make guest'), or name a bzImage or a vmlinux"),
            hypervisor.InitrdPath is not { } initrd
                ? null
                : CheckGuest(
                    configuration, "hypervisor.initrd", initrd, s_ramDisks, "an initial RAM disk",
                    "Run 'make install' (in a clone 'make guest'), or name a cpio archive, compressed or not")
                    ?? CheckSize(configuration, initrd),
        }.OfType<ConfigurationException>();
    }

    private static ConfigurationException? CheckProgram(KataConfiguration configuration, string id, string path, string remedy)
    {
        const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        string? cause = Read(path, out _);
        if (cause is null && (File.GetUnixFileMode(path) & Executable) == 0)
            (cause, remedy) = ("is not executable", "Make it executable (chmod 755), or name another one");
        return cause is null ? null : Error(configuration, id, path, cause, remedy);
    }

    private static ConfigurationException? CheckEntropySource(KataConfiguration configuration, string path)
    {
        string? cause = !Path.Exists(path) ? "does not exist"
            : Directory.Exists(path) || new FileInfo(path).Length > 0 ? "is no character device"
            : null;
        return cause is null ? null
            : Error(configuration, "hypervisor.entropy_source", path, cause, "Name one such as /dev/urandom, or leave it out");
    }

    private static ConfigurationException? CheckGuest(
        KataConfiguration configuration, string id, string path, (int Offset, byte[] Magic)[] kinds, string what, string remedy)
    {
        string? cause = Read(path, out byte[] head);
        if (cause is null && !kinds.Any(kind => kind.Offset < head.Length && head.AsSpan(kind.Offset).StartsWith(kind.Magic)))
            cause = $"is not {what}";
        return cause is null ? null : Error(configuration, id, path, cause, remedy);
    }

    // Kata's own rule: the guest's memory first holds the whole archive, then what is unpacked from it.
    private static ConfigurationException? CheckSize(KataConfiguration configuration, string path)
    {
        long sizeMib = new FileInfo(path).Length >> 20;
        return sizeMib < configuration.Hypervisor.MemoryMib
            ? null
            : new ConfigurationException(
                configuration.OriginOf("hypervisor.default_memory"),
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"hypervisor.default_memory holds {configuration.Hypervisor.MemoryMib}, "
                    + $"and the initial RAM disk {AvailableChoices.Write(path)} alone has {sizeMib} MiB"),
                "Give the machine more memory, or name a smaller RAM disk");
    }

    /// <returns>What is wrong with the file, as the end of a sentence; null when it can be read and has content.</returns>
    private static string? Read(string path, out byte[] head)
    {
        head = [];
        try
        {
            if (Directory.Exists(path))
                return "is a directory";
            // File.Exists answers yes for a link to nothing.
            FileSystemInfo? target = File.ResolveLinkTarget(path, returnFinalTarget: true);
            if (target is { Exists: false })
                return $"is a link to {AvailableChoices.Write(target.FullName)}, which does not exist";
            // Fifos and devices have no length; opening one could wait for ever.
            if (new FileInfo(target?.FullName ?? path).Length == 0)
                return "is empty or not a regular file";
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            byte[] buffer = new byte[HeadBytes];
            head = buffer[..file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)];
            return null;
        }
        catch (FileNotFoundException)
        {
            return "does not exist";
        }
        catch (DirectoryNotFoundException)
        {
            return "does not exist";
        }
        catch (UnauthorizedAccessException)
        {
            return "cannot be read: permission is denied";
        }
        catch (IOException exception)
        {
            string cause = exception.HResult is > 0 and < 4096 and int errno
                ? Marshal.GetPInvokeErrorMessage(errno)
                : exception.Message.TrimEnd('.');
            return $"cannot be read: {cause}";
        }
    }

    private static ConfigurationException Error(KataConfiguration configuration, string id, string path, string cause, string remedy)
    {
        ConfigurationOrigin origin = configuration.OriginOf(id);
        string name = origin == ConfigurationOrigin.BuiltIn
            ? $"{id} is not set, and the built-in {AvailableChoices.Write(path)}"
            : $"{id} holds {AvailableChoices.Write(path)}, which";
        return new ConfigurationException(origin, $"{name} {cause}", remedy);
    }
}
