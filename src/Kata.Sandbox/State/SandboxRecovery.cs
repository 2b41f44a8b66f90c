using System.Globalization;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// Removes a pod whose service is gone, from what lies on disk: everything in the journal in reverse order, then the directory.
/// Works at any point of a creation, and again after having been interrupted itself.
/// </summary>
internal sealed class SandboxRecovery(SandboxDirectories directories)
{
    /// <summary>How long a killed process may take to leave its cgroup; the kernel needs a moment to free a VM's memory.</summary>
    private static readonly TimeSpan s_killTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Whether the pod's service lives. A pod without a state document has one only while its service holds the lock.</summary>
    public bool IsServed(SandboxId sandbox) =>
        SandboxStateStore.Read(directories.StateFile(sandbox))?.Service.IsAlive() ?? false;

    /// <summary>Removes all of the pod, its containers' ids included. Two at once serialise.</summary>
    /// <exception cref="LinuxException">Something could not be removed; the rest was. Call again.</exception>
    public async Task RemoveAsync(SandboxId sandbox, CancellationToken cancellationToken)
    {
        string directory = directories.Sandbox(sandbox);
        LinuxException? first = null;
        if (Directory.Exists(directory))
        {
            using FileLock held = FileLock.Acquire(Path.Combine(directory, "lock"));
            foreach (Acquisition acquisition in AcquisitionJournal.ReadHeld(directories.Journal(sandbox)))
            {
                try
                {
                    await ReleaseAsync(acquisition, cancellationToken);
                }
                catch (LinuxException error)
                {
                    first ??= error; // the rest still goes
                }
            }

            if (first is null)
            {
                DirectoryTree.Remove(directory);
            }
        }

        if (first is not null)
        {
            throw first;
        }

        var index = new ContainerIndex(directories);
        foreach ((ContainerId container, SandboxId owner) in index.All())
        {
            if (owner == sandbox)
            {
                index.Release(container);
            }
        }
    }

    private static async Task ReleaseAsync(Acquisition acquisition, CancellationToken cancellationToken)
    {
        switch (acquisition.Kind)
        {
            case AcquisitionKind.Cgroup:
                HostCgroup cgroup = HostCgroup.Open(CgroupLayout.Read(), acquisition.Value);
                await cgroup.KillAllAsync(s_killTimeout, cancellationToken);
                await cgroup.RemoveAsync(s_killTimeout, cancellationToken);
                break;
            case AcquisitionKind.Process:
                string[] words = acquisition.Value.Split(' ');
                if (words.Length == 2
                    && int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                    && ulong.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong start)
                    && new ProcessIdentity(pid, start).IsAlive())
                {
                    _ = LibC.kill(pid, Signals.SIGKILL); // ESRCH: it ended meanwhile
                }

                break;
            case AcquisitionKind.File or AcquisitionKind.Directory:
                DirectoryTree.Remove(acquisition.Value);
                break;
        }
    }
}
