using System.Runtime.ExceptionServices;
using Kata.Linux;
using Kata.Network;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// Removes a pod whose service is gone, hangs or is to go, from what lies on disk: its processes, then everything in the journal
/// in reverse order, then the directory. Works at any point of a creation, and again after having been interrupted itself.
/// </summary>
internal sealed class SandboxRecovery(SandboxDirectories directories)
{
    /// <summary>Longer than a service takes to record itself, or another remover to be done.</summary>
    private static readonly TimeSpan s_lockTimeout = TimeSpan.FromSeconds(45);

    /// <summary>The process that serves the pod, dead or alive; null when none has ever recorded itself.</summary>
    public ProcessIdentity? ServiceOf(SandboxId sandbox) => AcquisitionJournal.ReadHeld(directories.Journal(sandbox))
        .OfType<ServiceAcquisition>()
        .Select(static held => ProcessIdentity.Parse(held.Identity))
        .FirstOrDefault();

    /// <summary>Whether the pod's service lives, or is just being started.</summary>
    public bool IsServed(SandboxId sandbox) =>
        ServiceOf(sandbox)?.IsAlive() ?? PodLock.IsTaken(directories.Sandbox(sandbox));

    /// <summary>Removes all of the pod, its containers' ids last: until then the same call finds what an interrupted one left.</summary>
    /// <exception cref="LinuxException">Something could not be removed; the rest was. Call again.</exception>
    /// <exception cref="TimeoutException">A killed process does not end, or another command is at it.</exception>
    /// <exception cref="SandboxStateException">
    /// A later version made the pod, and holds what this one does not know. Nothing was removed.
    /// </exception>
    public Task RemoveAsync(SandboxId sandbox, CancellationToken cancellationToken) => RemoveAsync(sandbox, null, cancellationToken);

    /// <inheritdoc cref="RemoveAsync(SandboxId, CancellationToken)"/>
    /// <param name="sandbox">The pod.</param>
    /// <param name="opened">Its directory, borrowed, where another pod may bear its name by now; null for the one that bears it.</param>
    /// <param name="cancellationToken">Calls it off.</param>
    public async Task RemoveAsync(SandboxId sandbox, SafeFileDescriptor? opened, CancellationToken cancellationToken)
    {
        string directory = directories.Sandbox(sandbox);
        using (PodLock? held = await PodLock.TakeAsync(directory, opened, s_lockTimeout, TimeProvider.System, cancellationToken))
        {
            if (held is { IsGone: true })
            {
                return; // removed meanwhile, with its ids: those that are there now are a later pod's
            }

            if (held is not null)
            {
                await ReleaseAllAsync(sandbox, directories.Journal(sandbox), cancellationToken);
                DirectoryTree.Remove(directory);
            }
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

    private static async Task ReleaseAllAsync(SandboxId sandbox, string journal, CancellationToken cancellationToken)
    {
        var failures = new List<Exception>();
        // The service before anything else: one that lives goes on making things, and only of one that has ended the record is complete.
        await ReleaseEachAsync(Read(sandbox, journal).Where(static held => held is ServiceAcquisition));
        await ReleaseEachAsync(Read(sandbox, journal)
            .Where(static held => held is not ServiceAcquisition)
            .OrderBy(static held => held is ProcessAcquisition ? 0 : 1));
        if (failures.Count > 0)
        {
            ExceptionDispatchInfo.Throw(failures[0]);
        }

        async Task ReleaseEachAsync(IEnumerable<Acquisition> held)
        {
            foreach (Acquisition acquisition in held)
            {
                try
                {
                    await acquisition.ReleaseAsync(cancellationToken);
                }
                catch (Exception error) when (
                    error is LinuxException or NetworkException or IOException or TimeoutException or UnauthorizedAccessException)
                {
                    failures.Add(error); // the rest still goes
                }
            }
        }
    }

    // Before anything is released: what a later version holds may need the rest of the pod for its own release.
    private static IReadOnlyList<Acquisition> Read(SandboxId sandbox, string journal)
    {
        IReadOnlyList<Acquisition> held = AcquisitionJournal.ReadHeld(journal);
        return held.OfType<UnknownAcquisition>().FirstOrDefault() is { } unknown
            ? throw SandboxStateException.HeldByLaterVersion(sandbox.Value, unknown.Kind)
            : held;
    }
}
