using System.Runtime.InteropServices;

namespace Kata.Linux.Interop;

internal static partial class LibC
{
    [LibraryImport("libc", EntryPoint = "posix_spawn")]
    internal static unsafe partial int posix_spawn_raw(int* pid, byte* path, byte* actions, byte* attributes, byte** argv, byte** envp);
}
