namespace Kata.Linux.Interop;

internal static partial class LibC
{
    /// <summary>linux/sched.h; the clocks of the children that the caller will have, time_namespaces(7).</summary>
    internal const int CLONE_NEWTIME = 0x00000080;
}
