using System.Runtime.InteropServices;

namespace Kata.Linux.Interop;

// System call numbers and the flags that differ between architectures. Those of another one would do something else without a word.
internal static partial class LibC
{
    /// <summary>What the kernel of this process calls it: a number that was read in the headers of both architectures.</summary>
    /// <exception cref="PlatformNotSupportedException">A third architecture.</exception>
    private static int PerArchitecture(int x64, int arm64) => PerArchitecture(RuntimeInformation.ProcessArchitecture, x64, arm64);

    internal static int PerArchitecture(Architecture architecture, int x64, int arm64) => architecture switch
    {
        Architecture.X64 => x64,
        Architecture.Arm64 => arm64,
        _ => throw new PlatformNotSupportedException(
            $"Cannot run on the architecture '{architecture}': its system call numbers are not known here. Use x86-64 or arm64"),
    };
}
