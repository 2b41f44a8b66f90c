using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// Removes a pod whose service is gone, hangs or is to go, from what lies on disk: its processes, then everything in the journal
/// in reverse order, then the directory. Works at any point of a creation, and again after having been interrupted itself.
/// </summary>
internal sealed class SandboxRecovery(SandboxDirectories directories)
{
    /// <summary>How long a killed process may take to leave its cgroup; the kernel needs a moment to free a VM's memory.</summary>
    private static readonly TimeSpan s_killTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Longer than a service takes to record itself, or another remover to be done.</summary>
    private static readonly TimeSpan s_lockTimeout = TimeSpan.FromSeconds(45);

    /// <summary>The process that serves the pod, dead or alive; null when none has ever recorded itself.</summary>
    public ProcessIdentity? ServiceOf(SandboxId sandbox) => AcquisitionJournal.ReadHeld(directories.Journal(sandbox))
        .Where(static held => held.Kind == AcquisitionKind.Service)
        .Select(static held => ProcessIdentity.Parse(held.Value))
        .FirstOrDefault();

    /// <summary>Whether the pod's service lives, or is just being started.</summary>
    public bool IsServed(SandboxId sandbox) =>
        ServiceOf(sandbox)?.IsAlive() ?? PodLock.IsTaken(directories.Sandbox(sandbox));

    /// <summary>Removes all of the pod, its containers' ids last: until then the same call finds what an interrupted one left.</summary>
    /// <exception cref="LinuxException">Something could not be removed; the rest was. Call again.</exception>
    /// <exception cref="TimeoutException">A killed process does not end, or another command is at it.</exception>
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
                await ReleaseAllAsync(directories.Journal(sandbox), cancellationToken);
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

    private static async Task ReleaseAllAsync(string journal, CancellationToken cancellationToken)
    {
        var failures = new List<Exception>();
        // The service before anything else: one that lives goes on making things, and only of one that has ended the record is complete.
        await ReleaseEachAsync(AcquisitionJournal.ReadHeld(journal).Where(static held => held.Kind == AcquisitionKind.Service));
        await ReleaseEachAsync(AcquisitionJournal.ReadHeld(journal)
            .Where(static held => held.Kind != AcquisitionKind.Service)
            .OrderBy(static held => held.Kind == AcquisitionKind.Process ? 0 : 1));
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
                    await ReleaseAsync(acquisition, cancellationToken);
                }
                catch (Exception error) when (error is LinuxException or IOException or TimeoutException or UnauthorizedAccessException)
                {
                    failures.Add(error); // the rest still goes
                }
            }
        }
    }

    private static async Task ReleaseAsync(Acquisition acquisition, CancellationToken cancellationToken)
    {
        switch (acquisition.Kind)
        {
            case AcquisitionKind.Cgroup:
                if (HostCgroup.Open(CgroupLayout.Read(), acquisition.Value) is { } cgroup)
                {
                    await cgroup.KillAllAsync(s_killTimeout, ImmutableHashSet<int>.Empty, cancellationToken);
                    await cgroup.RemoveAsync(s_killTimeout, cancellationToken);
                }

                break;
            case AcquisitionKind.Service or AcquisitionKind.Process:
                if (ProcessIdentity.Parse(acquisition.Value) is { } process)
                {
                    await KillAsync(process, cancellationToken);
                    if (acquisition.Kind == AcquisitionKind.Service)
                    {
                        await KillSessionAsync(process, cancellationToken);
                    }
                }

                break;
            case AcquisitionKind.File or AcquisitionKind.Directory:
                DirectoryTree.Remove(acquisition.Value);
                break;
        }
    }

    // A service leads a session, and what it starts is born in that: so its own record, made before anything else, stands for a process
    // that it has started and not recorded yet. A number is not given away while a session bears it: if its process is another's, nothing is left.
    private static async Task KillSessionAsync(ProcessIdentity service, CancellationToken cancellationToken)
    {
        while (ProcessIdentity.Of(service.Pid) is null && ProcessIdentity.OfSession(service.Pid) is { Count: > 0 } members)
        {
            foreach (ProcessIdentity member in members)
            {
                await KillAsync(member, cancellationToken);
            }
        }
    }

    // By descriptor, checked after it was opened: the number cannot come to mean another process in between.
    private static async Task KillAsync(ProcessIdentity process, CancellationToken cancellationToken)
    {
        SafeFileDescriptor pidfd = LibC.pidfd_open(process.Pid);
        if (pidfd.IsInvalid)
        {
            LinuxException error = LinuxException.FromLastErrno("pidfd_open", $"end the process {process.Pid}");
            pidfd.Dispose();
            if (error.Errno == Errno.ESRCH)
            {
                return;
            }

            throw error;
        }

        using var ended = new PolledDescriptor(pidfd);
        if (!process.IsAlive())
        {
            return;
        }

        if (LibC.pidfd_send_signal(pidfd, Signals.SIGKILL) == 0)
        {
            await ended.WaitReadableAsync(cancellationToken).WaitAsync(s_killTimeout, TimeProvider.System, cancellationToken);
        }
    }
}
