using System.Collections.Concurrent;
using Kata.Oci;
using Kata.Sandbox;

namespace Kata.Service;

/// <summary>The stand-ins of the command line's callers, from the call that brings one to the exit that it is told.</summary>
internal sealed class TaskStandIns(PodHost host)
{
    // Of processes that are described and not started.
    private readonly ConcurrentDictionary<(string Container, string ExecId), StandInSession> _waiting = new();

    /// <summary>Keeps the stand-in of a described process until that is started.</summary>
    public void Keep(string container, string execId, StandInSession? standIn)
    {
        if (standIn is not null)
        {
            _waiting[(container, execId)] = standIn;
        }
    }

    /// <summary>Takes what <see cref="Keep"/> kept; null when there is none. The caller owns it.</summary>
    public StandInSession? Take(string container, string execId) =>
        _waiting.TryRemove((container, execId), out StandInSession? standIn) ? standIn : null;

    /// <summary>Lets go of the caller of a process that never came to be.</summary>
    public static async Task AbandonAsync(StandInSession? standIn, ProcessStdio? stdio)
    {
        if (standIn is not null)
        {
            await standIn.AbandonAsync(CancellationToken.None);
            await standIn.DisposeAsync();
        }
        else if (stdio is not null)
        {
            await stdio.DisposeAsync();
        }
    }

    /// <summary>
    /// Lets go of processes of a container that were registered or described and never started,
    /// because their command was killed in between.
    /// </summary>
    public async Task DropAllAsync(ContainerId id)
    {
        await host.StandIns.DropAsync(id.Value);
        foreach ((string Container, string ExecId) key in _waiting.Keys.Where(key => key.Container == id.Value))
        {
            await DropAsync(key.Container, key.ExecId);
        }
    }

    /// <summary>The same for one process that somebody deletes.</summary>
    public async Task DropAsync(string container, string execId)
    {
        if (_waiting.TryRemove((container, execId), out StandInSession? standIn))
        {
            await standIn.DisposeAsync();
        }
    }

    /// <summary>
    /// The streams of a stand-in's caller, or those that containerd names. A logger starts in the
    /// pod's control group, which has to be there.
    /// </summary>
    public async Task<ProcessStdio> OpenStdioAsync(
        StandInSession? standIn, string container, StdioNames names, CancellationToken cancellationToken) =>
        standIn?.Stdio ?? await ContainerdStdio.OpenAsync(names, program => LoggerProcess.StartAsync(
            program, container, host.ContainerdNamespace, host.CallerMountNamespace, host.Time, cancellationToken));

    /// <summary>Has a stand-in, if there is one, learn the exit of its process, after everybody else.</summary>
    /// <param name="standIn">Owned from here on; null for a process without one.</param>
    /// <param name="process">The process.</param>
    /// <param name="ended">Completes when those who ask are told that it has ended.</param>
    /// <param name="afterwards">What follows when it has been told.</param>
    public void Track(
        StandInSession? standIn, GuestProcess process, Task ended, Func<Task>? afterwards = null)
    {
        if (standIn is not null)
        {
            host.Adopt(standIn);
            host.Track(ServeAsync(standIn, process, ended, afterwards)); // ends when the process or the stand-in does
        }
    }

    // The stand-in learns the exit last: its caller's next command must see the container as stopped.
    private async Task ServeAsync(
        StandInSession standIn, GuestProcess process, Task ended, Func<Task>? afterwards)
    {
        await using (standIn)
        {
            if (standIn.Hello is { Terminal: true, Rows: > 0 } size)
            {
                try
                {
                    await process.ResizeAsync(size.Rows, size.Columns, host.Stopping);
                }
                catch (AgentException)
                {
                    // it has ended already
                }
            }

            await standIn.ServeAsync(process, ended, host.Stopping);
            await process.Exited;
        }

        host.Forget(standIn);

        if (afterwards is not null)
        {
            await afterwards();
        }
    }
}
