using Kata.Agent.Protocol;

namespace Kata.Sandbox;

/// <summary>Pausing a container and letting it go on, by the guest's cgroup freezer.</summary>
internal sealed class ContainerFreezer(Container container, PodSandbox pod)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _thawed; // guarded by _gate; completes when a paused container runs again or ends
    private ContainerStatus _beforePause; // written in the container's turn

    /// <summary>Completes when a paused container runs again, or ends; null when it was never paused.</summary>
    public Task? Thawed
    {
        get
        {
            lock (_gate)
            {
                return _thawed?.Task;
            }
        }
    }

    /// <summary>Takes note of the container's new status.</summary>
    public void Follow(ContainerStatus status)
    {
        lock (_gate)
        {
            if (status == ContainerStatus.Paused)
            {
                _thawed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            else
            {
                _thawed?.TrySetResult();
            }
        }
    }

    /// <summary>Freezes every process of the container, by the guest's cgroup freezer. Returns when they stand still.</summary>
    /// <exception cref="SandboxStateException">It has ended, or is paused already.</exception>
    public async Task PauseAsync(CancellationToken cancellationToken)
    {
        const string Action = "pause the container";
        using Container.Entered entered = await container.EnterAsync(cancellationToken);
        switch (container.Status)
        {
            case ContainerStatus.Created or ContainerStatus.Running:
                break;
            case ContainerStatus.Paused:
                throw SandboxStateException.WrongState(
                    Action, container.Plan.Id.Value, Container.Text(container.Status), "created or running");
            default:
                throw SandboxStateException.NotRunning(Action, container.Plan.Id.Value);
        }

        _beforePause = container.Status;
        try
        {
            await container.CallAsync(Action, pod.Agent.Agent.PauseContainerAsync(
                new PauseContainerRequest { ContainerId = container.Plan.Id.Value }, pod.Agent.Timed(cancellationToken)));
        }
        catch (AgentException)
        {
            // Some of it may stand still, or be about to: a container that is not paused could not be resumed.
            await pod.Agent.TryUndoAsync(options => pod.Agent.Agent.ResumeContainerAsync(
                new ResumeContainerRequest { ContainerId = container.Plan.Id.Value }, options));
            throw;
        }

        container.SetStatus(ContainerStatus.Paused); // unless it has ended already
    }

    /// <summary>Lets a paused container go on.</summary>
    /// <exception cref="SandboxStateException">It is not paused.</exception>
    public async Task ResumeAsync(CancellationToken cancellationToken)
    {
        const string Action = "resume the container";
        using Container.Entered entered = await container.EnterAsync(cancellationToken);
        if (container.Status != ContainerStatus.Paused)
        {
            throw SandboxStateException.NotPaused(Action, container.Plan.Id.Value, Container.Text(container.Status));
        }

        await container.CallAsync(Action, pod.Agent.Agent.ResumeContainerAsync(
            new ResumeContainerRequest { ContainerId = container.Plan.Id.Value }, pod.Agent.Timed(cancellationToken)));
        container.SetStatus(_beforePause);
    }
}
