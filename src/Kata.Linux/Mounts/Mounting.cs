using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>Mounts with all their flags: mount(2) takes a bind and the flags it shall have in two calls.</summary>
internal static class Mounting
{
    /// <summary>
    /// Mounts <paramref name="source"/> at <paramref name="target"/>, which exists. With MS_BIND the type and the data mean nothing.
    /// </summary>
    /// <exception cref="LinuxException">The kernel refused. A bind may be there without its flags then.</exception>
    public static void At(string source, string target, string type, MountFlags flags, string? data)
    {
        const MountFlags Binding = MountFlags.MS_BIND | MountFlags.MS_REC;
        bool isBind = (flags & MountFlags.MS_BIND) != 0;
        LinuxException.ThrowIfNegative(
            isBind ? LibC.mount(source, target, null, flags & Binding, null) : LibC.mount(source, target, type, flags, data),
            "mount", $"mount '{source}' ({type}) on '{target}'");
        if (isBind && (flags & ~Binding) is not MountFlags.None and MountFlags kept)
        {
            LinuxException.ThrowIfNegative(
                LibC.mount(null, target, null, kept | MountFlags.MS_BIND | MountFlags.MS_REMOUNT, null),
                "mount(MS_REMOUNT)",
                $"protect '{target}'");
        }
    }
}
