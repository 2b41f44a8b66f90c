using System.Runtime.InteropServices;

namespace Kata.Linux.Interop;

internal static partial class LibC
{
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int link(string existing, string created);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int unlinkat(SafeFileDescriptor directory, string path, int flags);

    /// <summary>By the kernel's bytes; the path ends with NUL.</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int unlinkat(SafeFileDescriptor directory, byte* path, int flags);

    /// <summary>By the kernel's bytes; the paths end with NUL.</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int renameat2(
        SafeFileDescriptor fromDirectory, byte* from, SafeFileDescriptor toDirectory, byte* to, uint flags);

    /// <summary>Records of <c>struct linux_dirent64</c>; 0 at the end of the directory.</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial nint getdents64(SafeFileDescriptor directory, byte* buffer, nuint size);

    /// <summary>Linux 5.11; the number is the same on x86-64 and arm64.</summary>
    internal static int close_range(uint first, uint last, uint flags) => (int)syscall_close_range(436, first, last, flags);

    internal const uint CLOSE_RANGE_CLOEXEC = 4;

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long syscall_close_range(long number, uint first, uint last, uint flags);
}
