using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// Which pod a container belongs to: a symbolic link from the container's id to the pod's. symlink(2) makes name and content in one
/// step and fails when the name exists: of two creates with one id exactly one wins, and being killed leaves nothing half made.
/// </summary>
internal sealed class ContainerIndex(SandboxDirectories directories)
{
    /// <summary>More than there are others that take the last container's directory away in a row.</summary>
    private const int Attempts = 100;

    /// <summary>Claims the id. False when it is taken.</summary>
    public bool TryClaim(ContainerId container, SandboxId sandbox)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                Directory.CreateDirectory(directories.Index, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
            catch (IOException) when (directories.IsNamespace && attempt < Attempts)
            {
                continue; // as below
            }

            if (LibC.symlink(sandbox.ToString(), directories.IndexEntry(container)) == 0)
            {
                return true;
            }

            LinuxException error = LinuxException.FromLastErrno(
                "symlink", $"claim the container id '{container}' in '{directories.Index}'");
            // ENOENT: the last container of a namespace went in between, and the directory with it.
            if (error.Errno != Errno.ENOENT || attempt == Attempts)
            {
                return error.Errno == Errno.EEXIST ? false : throw error;
            }
        }
    }

    /// <summary>What tells this claim from a later one of the same id; null when the id is not claimed.</summary>
    public ContainerClaim? Stamp(ContainerId container)
    {
        using SafeFileDescriptor entry = LibC.open(directories.IndexEntry(container), LibC.O_PATH | LibC.O_NOFOLLOW | LibC.O_CLOEXEC, 0);
        return entry.IsInvalid ? null : new ContainerClaim(FileStatus.Of(entry).Inode, ClaimedAt(container));
    }

    /// <summary>When the id was claimed: the beginning of its container.</summary>
    public DateTimeOffset ClaimedAt(ContainerId container) => new FileInfo(directories.IndexEntry(container)).LastWriteTimeUtc;

    /// <summary>The pod of a container, or null when the id is not known.</summary>
    public SandboxId? Find(ContainerId container) =>
        new FileInfo(directories.IndexEntry(container)).LinkTarget is { } target && SandboxId.TryParse(target, out SandboxId sandbox)
            ? sandbox : null;

    /// <summary>Gives the id back. Not knowing it is no error.</summary>
    public void Release(ContainerId container)
    {
        try
        {
            File.Delete(directories.IndexEntry(container));
        }
        catch (DirectoryNotFoundException)
        {
            // nobody ever claimed an id under this root
        }

        if (directories.IsNamespace)
        {
            _ = LibC.rmdir(directories.Index); // unless others are claimed
            _ = LibC.rmdir(directories.Root); // unless a pod is in it
        }
    }

    /// <summary>Every claimed id with its pod.</summary>
    public IEnumerable<(ContainerId Container, SandboxId Sandbox)> All()
    {
        if (!Directory.Exists(directories.Index))
        {
            yield break;
        }

        foreach (string path in Directory.EnumerateFileSystemEntries(directories.Index).Order(StringComparer.Ordinal))
        {
            if (ContainerId.TryParse(Path.GetFileName(path), out ContainerId container) && Find(container) is { } sandbox)
            {
                yield return (container, sandbox);
            }
        }
    }
}
