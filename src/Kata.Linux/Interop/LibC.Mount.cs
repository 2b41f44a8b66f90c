using System.Runtime.InteropServices;

namespace Kata.Linux.Interop;

internal static partial class LibC
{
    internal const uint OPEN_TREE_CLONE = 1;
    internal const uint OPEN_TREE_CLOEXEC = 0x80000;
    internal const uint AT_RECURSIVE = 0x8000;
    internal const uint MOVE_MOUNT_F_EMPTY_PATH = 4;
    internal const uint MOVE_MOUNT_T_EMPTY_PATH = 0x40;
    internal const uint MOUNT_ATTR_RDONLY = 1;
    internal const uint MOUNT_ATTR_NOSUID = 2;
    internal const uint MOUNT_ATTR_NODEV = 4;
    internal const uint MOUNT_ATTR_IDMAP = 0x100000;
    internal const int MNT_DETACH = 2;
    internal const int UMOUNT_NOFOLLOW = 8;

    internal const uint FSOPEN_CLOEXEC = 1;
    internal const uint FSCONFIG_CMD_CREATE = 6;
    internal const uint FSMOUNT_CLOEXEC = 1;

    private const long SysFsopen = 430;
    private const long SysFsconfig = 431;
    private const long SysFsmount = 432;
    private const long SysOpenTree = 428;
    private const long SysMoveMount = 429;
    private const long SysMountSetattr = 442;
    private static readonly long s_sysPivotRoot = PerArchitecture(x64: 155, arm64: 41);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mount(string? source, string target, string? type, MountFlags flags, string? data);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int umount2(string target, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int chroot(string path);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int chdir(string path);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fchdir(SafeFileDescriptor fd);

    /// <summary>glibc 2.36 has these wrappers, a static older libc may not: by number (same on x86-64 and arm64).</summary>
    internal static SafeFileDescriptor open_tree(SafeFileDescriptor? directory, string path, uint flags) =>
        syscall_open_tree(SysOpenTree, directory is null ? AT_FDCWD : directory.Number, path, flags);

    internal static int move_mount(SafeFileDescriptor from, string fromPath, SafeFileDescriptor? to, string toPath, uint flags) =>
        syscall_move_mount(SysMoveMount, from, fromPath, to is null ? AT_FDCWD : to.Number, toPath, flags);

    internal static int mount_setattr(SafeFileDescriptor fd, string path, uint flags, in MountAttr attributes) =>
        syscall_mount_setattr(SysMountSetattr, fd, path, flags, in attributes, (nuint)32);

    internal static SafeFileDescriptor fsopen(string kind, uint flags) => syscall_fsopen(SysFsopen, kind, flags);

    /// <summary>For commands without a key and a value, such as FSCONFIG_CMD_CREATE.</summary>
    internal static int fsconfig(SafeFileDescriptor context, uint command) =>
        syscall_fsconfig(SysFsconfig, context, command, null, null, 0);

    internal static SafeFileDescriptor fsmount(SafeFileDescriptor context, uint flags, uint attributes) =>
        syscall_fsmount(SysFsmount, context, flags, attributes);

    internal static int pivot_root(string newRoot, string oldRoot) => syscall_pivot_root(s_sysPivotRoot, newRoot, oldRoot);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileDescriptor syscall_open_tree(long number, int directory, string path, uint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileDescriptor syscall_fsopen(long number, string kind, uint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int syscall_fsconfig(
        long number, SafeFileDescriptor context, uint command, string? key, string? value, int auxiliary);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial SafeFileDescriptor syscall_fsmount(long number, SafeFileDescriptor context, uint flags, uint attributes);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int syscall_move_mount(long number, SafeFileDescriptor from, string fromPath, int to, string toPath, uint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int syscall_mount_setattr(
        long number, SafeFileDescriptor fd, string path, uint flags, in MountAttr attributes, nuint size);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int syscall_pivot_root(long number, string newRoot, string oldRoot);
}

/// <summary><c>struct mount_attr</c>, linux/mount.h; 32 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MountAttr
{
    public ulong attr_set;
    public ulong attr_clr;
    public ulong propagation;
    public ulong userns_fd;
}
