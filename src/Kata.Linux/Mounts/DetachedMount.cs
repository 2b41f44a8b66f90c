using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// A copy of a mount that is attached nowhere (open_tree(2)). It crosses mount namespaces as a descriptor and ends with it unless
/// <c>AttachTo</c> gave it a place. Linux 5.12 or later.
/// </summary>
internal sealed class DetachedMount : IDisposable
{
    private const uint Clone = LibC.OPEN_TREE_CLONE | LibC.OPEN_TREE_CLOEXEC;

    private DetachedMount(SafeFileDescriptor tree) => Descriptor = tree;

    public SafeFileDescriptor Descriptor { get; }

    /// <summary>
    /// Copies what is at <paramref name="path"/> in the calling thread's mount namespace, with the mounts
    /// below it when <paramref name="recursive"/>.
    /// </summary>
    public static DetachedMount Of(string path, bool recursive) => new(LinuxException.ThrowIfInvalid(
        LibC.open_tree(null, path, Clone | (recursive ? LibC.AT_RECURSIVE : 0)), "open_tree", $"copy the mount of '{path}'"));

    /// <summary>
    /// Copies what <paramref name="descriptor"/> is open on, directory or file. It must belong to the calling thread's mount namespace.
    /// </summary>
    public static DetachedMount Of(SafeFileDescriptor descriptor, bool recursive) => new(LinuxException.ThrowIfInvalid(
        LibC.open_tree(descriptor, "", Clone | LibC.AT_EMPTY_PATH | (recursive ? LibC.AT_RECURSIVE : 0)),
        "open_tree",
        "copy the mount of a descriptor"));

    /// <summary>Mounts a file system that needs no settings, as seen from the calling thread's namespaces.</summary>
    /// <param name="kind">The kernel's word: <c>tmpfs</c>, <c>sysfs</c>.</param>
    /// <exception cref="LinuxException">ENODEV: the kernel has no such kind.</exception>
    public static DetachedMount New(string kind)
    {
        using SafeFileDescriptor context = LinuxException.ThrowIfInvalid(
            LibC.fsopen(kind, LibC.FSOPEN_CLOEXEC), "fsopen", $"make a file system of kind '{kind}'");
        LinuxException.ThrowIfNegative(
            LibC.fsconfig(context, LibC.FSCONFIG_CMD_CREATE), "fsconfig", $"make a file system of kind '{kind}'");
        return new DetachedMount(LinuxException.ThrowIfInvalid(
            LibC.fsmount(context, LibC.FSMOUNT_CLOEXEC, 0), "fsmount", $"mount a file system of kind '{kind}'"));
    }

    /// <summary>Takes ownership of a descriptor that <c>open_tree</c> or <c>fsmount</c> made, perhaps in another process.</summary>
    public static DetachedMount From(SafeFileDescriptor tree) => new(tree);

    /// <summary>Sets attributes (<c>MOUNT_ATTR_*</c>) on the copy, and below it when <paramref name="recursive"/>.</summary>
    /// <param name="attributes">To set.</param>
    /// <param name="recursive">On the mounts below too.</param>
    /// <param name="cleared">To take away.</param>
    public void SetAttributes(ulong attributes, bool recursive, ulong cleared = 0)
    {
        var change = new MountAttr { attr_set = attributes, attr_clr = cleared };
        LinuxException.ThrowIfNegative(
            LibC.mount_setattr(Descriptor, "", (uint)LibC.AT_EMPTY_PATH | (recursive ? LibC.AT_RECURSIVE : 0), in change),
            "mount_setattr",
            "restrict a mount");
    }

    /// <summary>Maps the owners of the files that this copy shows, for good. It must be attached nowhere, and not be mapped yet.</summary>
    /// <param name="userNamespace">From <see cref="MountIdMap.OpenNamespace"/>.</param>
    /// <exception cref="LinuxException">EINVAL: the file system cannot be mapped. EPERM: it is mapped already.</exception>
    public void SetIdMap(SafeFileDescriptor userNamespace)
    {
        var change = new MountAttr { attr_set = LibC.MOUNT_ATTR_IDMAP, userns_fd = (ulong)userNamespace.Number };
        LinuxException.ThrowIfNegative(
            LibC.mount_setattr(Descriptor, "", (uint)LibC.AT_EMPTY_PATH, in change), "mount_setattr", "map the ids of a mount");
    }

    /// <summary>Sets the propagation (MS_PRIVATE, MS_SLAVE, MS_SHARED). MS_SHARED needs a mount that is attached.</summary>
    public void SetPropagation(MountFlags propagation, bool recursive)
    {
        var change = new MountAttr { propagation = (ulong)propagation };
        LinuxException.ThrowIfNegative(
            LibC.mount_setattr(Descriptor, "", (uint)LibC.AT_EMPTY_PATH | (recursive ? LibC.AT_RECURSIVE : 0), in change),
            "mount_setattr",
            "set a mount's propagation");
    }

    /// <summary>Mounts on the open <paramref name="target"/>: a directory on a directory, a file on a file.</summary>
    public void AttachTo(SafeFileDescriptor target) => LinuxException.ThrowIfNegative(
        LibC.move_mount(Descriptor, "", target, "", LibC.MOVE_MOUNT_F_EMPTY_PATH | LibC.MOVE_MOUNT_T_EMPTY_PATH),
        "move_mount",
        "attach a mount");

    /// <summary>Mounts on <paramref name="target"/>, a path only we can change.</summary>
    public void AttachTo(string target) => LinuxException.ThrowIfNegative(
        LibC.move_mount(Descriptor, "", null, target, LibC.MOVE_MOUNT_F_EMPTY_PATH), "move_mount", $"attach a mount at '{target}'");

    public void Dispose() => Descriptor.Dispose();
}
