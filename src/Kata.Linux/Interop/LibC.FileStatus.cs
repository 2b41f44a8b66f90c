using System.Runtime.InteropServices;

namespace Kata.Linux.Interop;

internal static partial class LibC
{
    internal const uint STATX_BASIC_STATS = 0x7ff;
    internal const uint STATX_MNT_ID = 0x1000;
    internal const uint S_IFMT = 0xF000;
    internal const uint S_IFREG = 0x8000;
    internal const uint S_IFDIR = 0x4000;
    internal const uint S_IFCHR = 0x2000;
    internal const uint S_IFBLK = 0x6000;
    internal const uint S_IFIFO = 0x1000;
    internal const uint S_IFLNK = 0xA000;
    internal const uint S_IFSOCK = 0xC000;

    internal const ulong RESOLVE_NO_XDEV = 1;
    internal const ulong RESOLVE_NO_MAGICLINKS = 2;
    internal const ulong RESOLVE_NO_SYMLINKS = 4;
    internal const ulong RESOLVE_BENEATH = 8;

    private const long SysOpenat2 = 437;

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static unsafe partial int statx_at(SafeFileDescriptor directory, string path, int flags, uint mask, StatX* result);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mkdirat(SafeFileDescriptor directory, string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static unsafe partial nint readlinkat(SafeFileDescriptor directory, string path, byte* buffer, nuint size);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int symlink(string target, string path);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int rmdir(string path);

    /// <summary>
    /// openat2(2): no glibc has a wrapper; the number is the same on x86-64 and arm64. The kernel answers a path with <c>..</c> with EAGAIN
    /// when something was renamed or mounted in the meantime, anywhere on the host: then again.
    /// </summary>
    internal static SafeFileDescriptor openat2(SafeFileDescriptor directory, string path, in OpenHow how)
    {
        const int Retries = 128;
        SafeFileDescriptor file = syscall_openat2(SysOpenat2, directory, path, in how, 24);
        for (int retries = 0; file.IsInvalid && Marshal.GetLastPInvokeError() == (int)Errno.EAGAIN && retries < Retries; retries++)
        {
            file = syscall_openat2(SysOpenat2, directory, path, in how, 24);
        }

        return file;
    }

    /// <summary>By the kernel's bytes; the path ends with NUL.</summary>
    internal static unsafe SafeFileDescriptor openat2(SafeFileDescriptor directory, byte* path, in OpenHow how) =>
        syscall_openat2(SysOpenat2, directory, path, in how, 24);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileDescriptor syscall_openat2(
        long number, SafeFileDescriptor directory, string path, in OpenHow how, nuint size);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial SafeFileDescriptor syscall_openat2(
        long number, SafeFileDescriptor directory, byte* path, in OpenHow how, nuint size);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int statfs(string path, out StatFs status);
}

/// <summary><c>struct open_how</c>, linux/openat2.h; 24 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct OpenHow
{
    public ulong flags;
    public ulong mode;
    public ulong resolve;
}
