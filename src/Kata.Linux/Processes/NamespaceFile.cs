using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>Files that stand for namespaces (nsfs; ioctl_ns(2)).</summary>
internal static class NamespaceFile
{
    /// <summary>Whether the descriptor is of a namespace of that kind, one of CLONE_NEW…; false for any other file.</summary>
    public static unsafe bool Is(SafeFileDescriptor file, int kind) =>
        LibC.ioctl(file, LibC.NS_GET_NSTYPE, null) == kind; // SAFETY: the request takes no argument
}
