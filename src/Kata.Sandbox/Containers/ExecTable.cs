using Grpc.Core;
using Kata.Agent.Protocol;
using Kata.Linux;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// The additional processes of a container: described, started, deleted, each operation in turn with the container's others.
/// </summary>
internal sealed class ExecTable(Container container, PodSandbox pod)
{
    // Guarded by itself: a signal waits for nobody's turn.
    private readonly Dictionary<string, ExecProcess> _execs = new(StringComparer.Ordinal);

    /// <summary>All of them, ended ones too, until they are deleted.</summary>
    public IReadOnlyList<ExecProcess> All
    {
        get
        {
            lock (_execs)
            {
                return [.. _execs.Values];
            }
        }
    }

    /// <summary>Describes an additional process. Takes ownership of <paramref name="stdio"/>.</summary>
    /// <param name="execId">Its name.</param>
    /// <param name="spec">What to execute.</param>
    /// <param name="stdio">Its streams.</param>
    /// <param name="standInPid">The host process that stands for it, or 0.</param>
    /// <param name="ignorePaused">Whether a paused container may have one: its start waits until the container is resumed.</param>
    /// <param name="cancellationToken">Ends the wait for other operations.</param>
    public async Task<ExecProcess> AddAsync(
        string execId, ExecSpec spec, ProcessStdio stdio, int standInPid, bool ignorePaused, CancellationToken cancellationToken)
    {
        using Container.Entered entered = await container.EnterAsync(cancellationToken);
        if (container.Status is not (ContainerStatus.Running or ContainerStatus.Created)
            && !(ignorePaused && container.Status == ContainerStatus.Paused))
        {
            throw SandboxStateException.NoExec(container.Plan.Id.Value, container.Status);
        }

        var exec = new ExecProcess(
            pod.NewProcess(container.Plan.Id.Value, execId), spec with { Process = WithContainers(spec.Process) }, stdio, standInPid);
        exec.Process.Describe(stdio);
        lock (_execs)
        {
            if (!_execs.TryAdd(execId, exec))
            {
                throw SandboxStateException.AlreadyExists("execute in the container", "a process", execId);
            }
        }

        return exec;
    }

    /// <summary>
    /// Starts a described process. In a paused container it waits until that is resumed: what enters a frozen cgroup freezes.
    /// </summary>
    public async Task<ExecProcess> StartAsync(string execId, CancellationToken cancellationToken)
    {
        using Container.Entered entered = await EnterThawedAsync(cancellationToken);
        ExecProcess exec = Find(execId, "start");
        if (exec.Started || exec.HasFailed)
        {
            throw SandboxStateException.WrongState(
                "start the process", execId, exec.Started ? "running" : "not to be started", "created anew");
        }

        try
        {
            await StartInGuestAsync(exec, cancellationToken);
            return exec;
        }
        catch
        {
            exec.HasFailed = true;
            await exec.Stdio.DisposeAsync(); // a client reads them to their end before it deletes it
            throw;
        }
    }

    private async Task StartInGuestAsync(ExecProcess exec, CancellationToken cancellationToken)
    {
        Agent.Protocol.Extension.ProcessExtension extension = GuestExtensionBuilder.Process(exec.Spec.Process, exec.Spec.CallerLimits);
        extension.PlainNewlines = exec.Spec.PlainNewlines;
        if (!pod.Agent.SupportsSpecExtension)
        {
            GuestExtensionBuilder.RefuseNeed(GuestExtensionBuilder.NeedOf(extension));
        }

        var request = new ExecProcessRequest
        {
            ContainerId = container.Plan.Id.Value,
            ExecId = exec.Process.ExecId,
            Process = GuestSpecBuilder.Process(exec.Spec.Process),
            StringUser = exec.Spec.UserName is { } name ? GuestSpecBuilder.NamedUser(name, exec.Spec.Process.User) : null,
            Extension = extension,
        };
        try
        {
            await AgentConnection.CallAsync(
                $"execute in the container '{container.Plan.Id}'",
                pod.Agent.Agent.ExecProcessAsync(request, pod.Agent.Timed(cancellationToken)));
        }
        catch (AgentException error) when (error.Code is StatusCode.Cancelled or StatusCode.DeadlineExceeded)
        {
            // We do not wait any longer, and the agent may be about to start it: ttRPC tells it nothing.
            await pod.Agent.TryUndoAsync(options => pod.Agent.Agent.SignalProcessAsync(
                new SignalProcessRequest { ContainerId = container.Plan.Id.Value, ExecId = exec.Process.ExecId, Signal = Signals.SIGKILL },
                options));
            throw;
        }

        exec.Started = true;
        exec.Process.Attach(exec.Stdio);
    }

    /// <summary>Forgets a process that has ended or was never started.</summary>
    public async Task DeleteAsync(string execId, CancellationToken cancellationToken)
    {
        using Container.Entered entered = await container.EnterAsync(cancellationToken);
        ExecProcess exec = Find(execId, "delete");
        if (exec.Started && !exec.Process.Exited.IsCompleted)
        {
            throw SandboxStateException.WrongState("delete the process", execId, "running", "stopped");
        }

        lock (_execs)
        {
            _execs.Remove(execId);
        }

        await exec.Process.DisposeAsync();
        await exec.Stdio.DisposeAsync();
    }

    // As with runc: what a process does not say about limits and memory shortages is as with the container's first one.
    private ProcessSpec WithContainers(ProcessSpec process) => container.Plan.Bundle.Spec.Process is not { } first ? process : process with
    {
        OomScoreAdj = process.OomScoreAdj ?? first.OomScoreAdj,
        Rlimits = process.Rlimits is { Count: > 0 } limits ? limits : first.Rlimits,
    };

    /// <exception cref="SandboxStateException">There is no such process.</exception>
    public ExecProcess Find(string execId, string action)
    {
        lock (_execs)
        {
            return _execs.TryGetValue(execId, out ExecProcess? exec)
                ? exec
                : throw SandboxStateException.NotFound($"{action} the process", "it", execId);
        }
    }

    // Not while holding the turn: the resume needs it.
    private async Task<Container.Entered> EnterThawedAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await (container.Freezer.Thawed ?? Task.CompletedTask).WaitAsync(cancellationToken);
            Container.Entered entered = await container.EnterAsync(cancellationToken);
            if (container.Status != ContainerStatus.Paused)
            {
                return entered;
            }

            entered.Dispose(); // paused again meanwhile
        }
    }
}
