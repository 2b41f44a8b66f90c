using System.Text;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// Which pod a container belongs to. An id is claimed by link(2), which fails when the name exists: of two creates with one
/// id, exactly one wins, and a reader never sees an entry without its content.
/// </summary>
internal sealed class ContainerIndex(SandboxDirectories directories)
{
    /// <summary>Claims the id. False when it is taken.</summary>
    public bool TryClaim(ContainerId container, SandboxId sandbox)
    {
        Directory.CreateDirectory(directories.Index, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string entry = directories.IndexEntry(container);
        string temporary = Path.Combine(directories.Index, $"@{Environment.ProcessId}.{Guid.NewGuid():N}");
        File.WriteAllText(temporary, sandbox.ToString(), Encoding.ASCII);
        try
        {
            if (LibC.link(temporary, entry) == 0)
            {
                return true;
            }

            LinuxException error = LinuxException.FromLastErrno("link", $"claim the container id '{container}'");
            return error.Errno == Errno.EEXIST ? false : throw error;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>The pod of a container, or null when the id is not known.</summary>
    public SandboxId? Find(ContainerId container)
    {
        try
        {
            return SandboxId.TryParse(File.ReadAllText(directories.IndexEntry(container), Encoding.ASCII), out SandboxId sandbox) ? sandbox : null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (DirectoryNotFoundException)
        {
            return null;
        }
    }

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
    }

    /// <summary>Every claimed id with its pod.</summary>
    public IEnumerable<(ContainerId Container, SandboxId Sandbox)> All()
    {
        if (!Directory.Exists(directories.Index))
        {
            yield break;
        }

        foreach (string path in Directory.EnumerateFiles(directories.Index).Order(StringComparer.Ordinal))
        {
            if (ContainerId.TryParse(Path.GetFileName(path), out ContainerId container) && Find(container) is { } sandbox)
            {
                yield return (container, sandbox);
            }
        }
    }
}
