using Kata.Agent.Storage;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Containers;

/// <summary>
/// What containers have of the shared file system: at their start, and what is mounted in a living one or taken away again.
/// </summary>
internal sealed class ContainerMounts
{
    private readonly SharedSubmounts _submounts = new();

    /// <summary>Keeps the file systems that the paths are in until <see cref="ReleaseAsync"/>.</summary>
    public void Enter(Container container, IReadOnlyCollection<string> paths) => container.SharedMounts.AddRange(_submounts.Enter(paths));

    /// <summary>
    /// Mounts a path of the shared file system in the container. Links there lead where the container itself would be led.
    /// </summary>
    /// <param name="container">A living one.</param>
    /// <param name="source">A directory or file.</param>
    /// <param name="destination">In the container; it exists.</param>
    /// <param name="readOnly">Whether it cannot be written to there.</param>
    /// <param name="cancellationToken">Ends the wait for other changes.</param>
    public async Task AddAsync(Container container, string source, string destination, bool readOnly, CancellationToken cancellationToken)
    {
        await container.Turn.WaitAsync(cancellationToken);
        try
        {
            IReadOnlyList<string> entered = _submounts.Enter([source]);
            try
            {
                using DetachedMount tree = DetachedMount.Of(source, recursive: false);
                tree.SetAttributes(LibC.MOUNT_ATTR_NODEV | (readOnly ? LibC.MOUNT_ATTR_RDONLY : 0ul), recursive: false);
                RunIn(container, () =>
                {
                    using SafeFileDescriptor point = LinuxException.ThrowIfInvalid(
                        LibC.open(destination, LibC.O_PATH | LibC.O_CLOEXEC, 0),
                        "open", $"open the mount point '{destination}' of the container");
                    tree.AttachTo(point);
                });
            }
            catch
            {
                _ = _submounts.Leave(entered);
                throw;
            }

            container.Added[destination] = entered;
        }
        finally
        {
            container.Turn.Release();
        }
    }

    /// <summary>Takes away what is mounted on top there, at once for every path that leads there; what is open stays.</summary>
    public async Task RemoveAsync(Container container, string destination, CancellationToken cancellationToken)
    {
        await container.Turn.WaitAsync(cancellationToken);
        try
        {
            RunIn(container, () => LinuxException.ThrowIfNegative(
                LibC.umount2(destination, LibC.MNT_DETACH), "umount2", $"unmount '{destination}' of the container"));
            if (container.Added.Remove(destination, out IReadOnlyList<string>? entered))
            {
                _ = _submounts.Leave(entered);
            }
        }
        finally
        {
            container.Turn.Release();
        }
    }

    /// <summary>Unmounts what was mounted for a container that has ended, and what of the shared file system no other uses.</summary>
    /// <returns>What the kernel would not unmount.</returns>
    public async Task<IReadOnlyList<string>> ReleaseAsync(Container container)
    {
        var left = new List<string>(
            _submounts.Leave([.. container.SharedMounts, .. container.Added.Values.SelectMany(static entered => entered)]));
        foreach (IAttachedStorage storage in Enumerable.Reverse(container.Storages))
        {
            if (await storage.DetachAsync() is { } mount)
            {
                left.Add(mount);
            }
        }

        return left;
    }

    private static void RunIn(Container container, Action work)
    {
        using SafeFileDescriptor space = LinuxException.ThrowIfInvalid(
            LibC.open($"/proc/{container.Init.Pid}/ns/mnt", LibC.O_CLOEXEC, 0), "open", "open the mount namespace of the container");
        _ = NamespaceThread.RunIn(space, "the container", () =>
        {
            work();
            return true;
        });
    }
}
