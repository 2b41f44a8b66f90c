using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>The device nodes and links of a jail, from its beginning or while its process runs.</summary>
internal static class JailNodes
{
    /// <summary>Makes those of a root that is being built, or of a running process's: what is there already stays.</summary>
    /// <param name="root">What is before the paths; empty for the own root.</param>
    /// <param name="jail">Whose they are, and which.</param>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public static void Make(string root, JailOptions jail)
    {
        foreach (JailDevice device in jail.Devices.Where(device => !Path.Exists(root + device.Path)))
        {
            string node = root + device.Path;
            Directory.CreateDirectory(Path.GetDirectoryName(node)!);
            // As makedev(3) for what has 12 and 8 bits, which the kernel's own have: MINORBITS apart.
            ulong number = ((ulong)(device.Minor & ~0xffu) << 12) | ((ulong)device.Major << 8) | (device.Minor & 0xffu);
            LinuxException.ThrowIfNegative(
                LibC.mknod(node, LibC.S_IFCHR | FileModes.Private, number), "mknod", $"make '{device.Path}' in the jail");
            LinuxException.ThrowIfNegative(
                LibC.chown(node, jail.UserId, jail.GroupId), "chown", $"give '{device.Path}' to the jailed user");
        }

        foreach ((string path, string target) in jail.Links.Where(link => new FileInfo(root + link.Key).LinkTarget is null))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(root + path)!);
            LinuxException.ThrowIfNegative(LibC.symlink(target, root + path), "symlink", $"make '{path}' in the jail");
        }
    }

    /// <summary>Gives a running process more of them. Its root is read-only again afterwards.</summary>
    /// <param name="process">Started by <see cref="Jail"/>.</param>
    /// <param name="jail">Its user and group, and what is to be there.</param>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public static void Add(int process, JailOptions jail)
    {
        using SafeFileDescriptor space = LinuxException.ThrowIfInvalid(
            LibC.open($"/proc/{process}/ns/mnt", LibC.O_RDONLY | LibC.O_CLOEXEC, 0), "open", "open the mount namespace of the jail");
        NamespaceThread.RunIn(space, "the jail", () =>
        {
            Jail.RemountRoot(readOnly: false); // its user may write nowhere in there, whatever this says
            try
            {
                Make("", jail);
            }
            finally
            {
                Jail.RemountRoot(readOnly: true);
            }

            return true;
        });
    }
}
