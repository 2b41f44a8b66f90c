using System.Collections.Concurrent;
using Google.Protobuf.WellKnownTypes;
using Kata.Containerd.Protocol.Events;
using Kata.Containerd.Protocol.TaskV2;
using Kata.Sandbox;
using Task = System.Threading.Tasks.Task;

namespace Kata.Service;

/// <summary>
/// What containerd is told of each process, in its order: created, started, ended, deleted, each once, whatever happens to the pod.
/// </summary>
internal sealed class TaskEvents(PodHost host)
{
    /// <summary>containerd's topics.</summary>
    internal const string OomTopic = "/tasks/oom";

    /// <inheritdoc cref="OomTopic"/>
    internal const string ExitTopic = "/tasks/exit";

    // By process; each completes when that event has been published, or never will be. An exec id is empty for the first process.
    private readonly ConcurrentDictionary<(string Container, string ExecId), TaskCompletionSource> _starting = new();
    private readonly ConcurrentDictionary<(string Container, string ExecId), Task> _exits = new();

    /// <summary>Publishes that a container was made.</summary>
    public void PublishCreated(CreateTaskRequest request, uint pid)
    {
        var created = new TaskCreate
        {
            ContainerId = request.Id,
            Bundle = request.Bundle,
            Checkpoint = request.Checkpoint,
            Pid = pid,
            Io = new TaskIO { Stdin = request.Stdin, Stdout = request.Stdout, Stderr = request.Stderr, Terminal = request.Terminal },
        };
        created.Rootfs.AddRange(request.Rootfs);
        host.Events.Publish("/tasks/create", created);
    }

    /// <summary>Starts a process and publishes that, before its exit can be.</summary>
    public async Task<uint> PublishStartAsync(string container, string execId, Func<Task<uint>> start)
    {
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _starting[(container, execId)] = told;
        try
        {
            uint pid = await start();
            if (execId.Length == 0)
            {
                host.Events.Publish("/tasks/start", new TaskStart { ContainerId = container, Pid = pid });
            }
            else
            {
                host.Events.Publish("/tasks/exec-started", new TaskExecStarted { ContainerId = container, ExecId = execId, Pid = pid });
            }

            return pid;
        }
        finally
        {
            told.SetResult();
            _starting.TryRemove((container, execId), out _);
        }
    }

    /// <summary>
    /// Publishes the exit of a process when it comes, in the background. A memory shortage, if that was why, has been published by then.
    /// </summary>
    public void TrackExit(Container container, GuestProcess process, Task ended)
    {
        string id = container.Plan.Id.Value;
        Task told = PublishExitAsync(container, process, ended);
        _exits[(id, process.ExecId)] = told;
        host.Track(told); // ends when the process does, or its container's deletion ends it
    }

    private async Task PublishExitAsync(Container container, GuestProcess process, Task ended)
    {
        await ended;
        string id = container.Plan.Id.Value;
        if (_starting.TryGetValue((id, process.ExecId), out TaskCompletionSource? starting))
        {
            await starting.Task;
        }

        ProcessExit exit = await process.Exited;
        host.Events.Publish(ExitTopic, new TaskExit
        {
            ContainerId = id,
            Id = process.ExecId.Length == 0 ? id : process.ExecId,
            Pid = (uint)container.StandInPid,
            ExitStatus = exit.Status,
            ExitedAt = Timestamp.FromDateTimeOffset(exit.At),
        });
    }

    /// <summary>
    /// Waits until the exit of a process that has ended is published. Nobody published one of a process that was never started.
    /// </summary>
    public async Task ExitToldAsync(string container, string execId)
    {
        if (_exits.TryRemove((container, execId), out Task? told))
        {
            await told;
        }
    }

    /// <summary>Waits until every exit of a container that is being deleted is published, and publishes the deletion.</summary>
    public async Task PublishDeletedAsync(string container, DeleteResponse response)
    {
        foreach ((string Container, string ExecId) key in _exits.Keys.Where(key => key.Container == container))
        {
            await ExitToldAsync(key.Container, key.ExecId);
        }

        host.Events.Publish("/tasks/delete", new TaskDelete
        {
            ContainerId = container,
            Pid = response.Pid,
            ExitStatus = response.ExitStatus,
            ExitedAt = response.ExitedAt,
        });
    }
}
