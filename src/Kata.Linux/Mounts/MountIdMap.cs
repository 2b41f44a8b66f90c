using System.Runtime.InteropServices;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// Which owners an id-mapped mount shows: those of the file system, changed in both directions (mount_setattr(2), MOUNT_ATTR_IDMAP).
/// </summary>
/// <param name="Users">
/// Lines of <c>uid_map</c>, user_namespaces(7): first id on the file system, first id that is seen instead, how many.
/// </param>
/// <param name="Groups">Likewise of <c>gid_map</c>.</param>
internal sealed record MountIdMap(string Users, string Groups)
{
    private const int StackSize = 64 * 1024;
    private const nint Seconds = 60; // the helper's whole life, should this process die before it ends it

    /// <summary>A user namespace that maps like this: so the kernel is told a mapping. Only the descriptor keeps it alive.</summary>
    /// <exception cref="LinuxException">EINVAL: ranges overlap or are more than 340. ENOSPC: <c>user.max_user_namespaces</c>.</exception>
    public unsafe SafeFileDescriptor OpenNamespace()
    {
        // A process with threads cannot unshare(CLONE_NEWUSER), and managed code cannot run in a forked child: the child sleeps in libc.
        nint sleep = NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), "sleep");
        byte* stack = (byte*)NativeMemory.AlignedAlloc(StackSize, 16);
        try
        {
            // SAFETY: the child has a copy of the memory, runs one function of libc on a stack of its own, and then _exit(2).
            int pid = LinuxException.ThrowIfNegative(
                LibC.clone(sleep, stack + StackSize, LibC.CLONE_NEWUSER | LibC.CLONE_FILES, Seconds),
                "clone",
                "make a user namespace for an id-mapped mount");
            try
            {
                Write($"/proc/{pid}/uid_map", Users);
                Write($"/proc/{pid}/gid_map", Groups);
                return LinuxException.ThrowIfInvalid(
                    LibC.open($"/proc/{pid}/ns/user", LibC.O_CLOEXEC, 0), "open", "open the user namespace of an id-mapped mount");
            }
            finally
            {
                _ = LibC.kill(pid, Signals.SIGKILL);
                int status;
                // SAFETY: one int is written. The child tells nobody of its end (no exit signal): only a wait for such children finds it.
                _ = LibC.wait4(pid, &status, LibC.WALL, 0);
            }
        }
        finally
        {
            NativeMemory.AlignedFree(stack);
        }
    }

    // The kernel takes a map in one write(2) alone.
    private static void Write(string path, string lines)
    {
        using SafeFileDescriptor file = LinuxException.ThrowIfInvalid(
            LibC.open(path, LibC.O_WRONLY | LibC.O_CLOEXEC, 0), "open", $"open '{path}'");
        string what = lines.TrimEnd().Replace("\n", ", ", StringComparison.Ordinal);
        DescriptorWriter.Write(file, System.Text.Encoding.ASCII.GetBytes(lines), $"map the ids of a mount by '{what}'");
    }
}
