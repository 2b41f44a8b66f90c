using Google.Protobuf.WellKnownTypes;
using Kata.Agent.Protocol;

namespace Kata.Sandbox;

internal sealed partial class Container
{
    private TaskCompletionSource? _thawed; // guarded by _statusGate; completes when a paused container runs again or ends
    private ContainerStatus _beforePause; // guarded by _gate

    private Task? ThawedTask
    {
        get
        {
            lock (_statusGate)
            {
                return _thawed?.Task;
            }
        }
    }

    /// <summary>Freezes every process of the container, by the guest's cgroup freezer. Returns when they stand still.</summary>
    /// <exception cref="SandboxStateException">It has ended, or is paused already.</exception>
    public async Task PauseAsync(CancellationToken cancellationToken)
    {
        const string Action = "pause the container";
        using Entered entered = await EnterAsync(cancellationToken);
        switch (Status)
        {
            case ContainerStatus.Created or ContainerStatus.Running:
                break;
            case ContainerStatus.Paused:
                throw SandboxStateException.WrongState(Action, Plan.Id.Value, Text(Status), "created or running");
            default:
                throw SandboxStateException.NotRunning(Action, Plan.Id.Value);
        }

        _beforePause = Status;
        try
        {
            await CallAsync(Action, _pod.Agent.Agent.PauseContainerAsync(new PauseContainerRequest { ContainerId = Plan.Id.Value }, _pod.Agent.Timed(cancellationToken)));
        }
        catch (AgentException)
        {
            // Some of it may stand still, or be about to: a container that is not paused could not be resumed.
            await _pod.Agent.TryUndoAsync(options => _pod.Agent.Agent.ResumeContainerAsync(new ResumeContainerRequest { ContainerId = Plan.Id.Value }, options));
            throw;
        }

        SetStatus(ContainerStatus.Paused); // unless it has ended already
    }

    /// <summary>Lets a paused container go on.</summary>
    /// <exception cref="SandboxStateException">It is not paused.</exception>
    public async Task ResumeAsync(CancellationToken cancellationToken)
    {
        const string Action = "resume the container";
        using Entered entered = await EnterAsync(cancellationToken);
        if (Status != ContainerStatus.Paused)
        {
            throw SandboxStateException.NotPaused(Action, Plan.Id.Value, Text(Status));
        }

        await CallAsync(Action, _pod.Agent.Agent.ResumeContainerAsync(new ResumeContainerRequest { ContainerId = Plan.Id.Value }, _pod.Agent.Timed(cancellationToken)));
        SetStatus(_beforePause);
    }

    private Task<Empty> CallAsync(string action, Grpc.Core.AsyncUnaryCall<Empty> call) => AgentConnection.CallAsync($"{action} '{Plan.Id}'", call);
}
