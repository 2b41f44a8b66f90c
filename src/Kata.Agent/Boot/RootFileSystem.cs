using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Boot;

/// <summary>
/// Gives the guest a root that pivot_root(2) accepts. The initramfs is the topmost mount and has no parent, so containers could
/// not be pivoted out of it; a bind mount of it, moved over it, has one. Everything the containers see then is pivoted, never
/// only chrooted, which a process with CAP_SYS_CHROOT could leave.
/// </summary>
internal static class RootFileSystem
{
    private const string Staging = "/run";

    /// <summary>Must run before anything else is mounted: mounts made earlier stay behind on the covered root.</summary>
    public static void MakePivotable()
    {
        Require(LibC.mount("/", Staging, null, MountFlags.MS_BIND, null), "mount", "bind the root file system");
        Require(LibC.chdir(Staging), "chdir", "enter the bound root file system");
        Require(LibC.mount(".", "/", null, MountFlags.MS_MOVE, null), "mount(MS_MOVE)", "move the bound root over the first one");
        Require(LibC.chroot("."), "chroot", "enter the new root file system");
        Require(LibC.chdir("/"), "chdir", "enter '/'");
    }

    private static void Require(int result, string call, string action) => LinuxException.ThrowIfNegative(result, call, action);
}
