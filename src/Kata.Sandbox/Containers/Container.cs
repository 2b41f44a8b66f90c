using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>
/// One container of a pod: its life cycle from created to deleted. Every operation is serialised with the others on the same
/// container; waiting for an exit is not, and neither are signals: a kill must get through to a container that is stuck.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The semaphore has no wait handle to dispose of: nobody asks for one")]
internal sealed class Container
{
    /// <summary>What SIGKILL makes of a process; the out-of-memory killer sends it, among others.</summary>
    private const uint KilledStatus = 137;

    private readonly PodSandbox _pod;
    private readonly IdleThread? _thread;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly CancellationTokenSource _calledOff = new();
    private readonly TaskCompletionSource _made = new(TaskCreationOptions.RunContinuationsAsynchronously); // made, or never to be
    private bool _deleted; // guarded by _gate
    private ContainerFiles? _files;
    private bool _inGuest;
    private readonly Lock _statusGate = new(); // the writes of Status
    private Task _exitWatch = Task.CompletedTask;
    private NotificationRelay? _notifications;

    /// <param name="pod">Its pod.</param>
    /// <param name="plan">What it is.</param>
    /// <param name="thread">What stands for it when that is a thread of this process; owned.</param>
    /// <param name="standInPid">The host process, or the thread of this one, that stands for it; 0 when nobody does.</param>
    internal Container(PodSandbox pod, ContainerPlan plan, IdleThread? thread, int standInPid)
    {
        _pod = pod;
        _thread = thread;
        Plan = plan;
        StandInPid = standInPid;
        Created = pod.Time.GetUtcNow();
        Init = pod.NewProcess(plan.Id.Value, "");
        Execs = new ExecTable(this, pod);
        Freezer = new ContainerFreezer(this, pod);
        Hooks = new ContainerHooks(plan, pod, standInPid);
        Resources = new ContainerResources(this, pod);
        OutOfMemory = new OomReporter(this, pod);
    }

    public ContainerPlan Plan { get; }

    public DateTimeOffset Created { get; }

    public ContainerStatus Status { get; private set; } = ContainerStatus.Creating;

    /// <summary>The first process.</summary>
    public GuestProcess Init { get; }

    /// <summary>The processes beside it.</summary>
    public ExecTable Execs { get; }

    public ContainerFreezer Freezer { get; }

    public ContainerHooks Hooks { get; }

    public ContainerResources Resources { get; }

    public OomReporter OutOfMemory { get; }

    /// <summary>The host process, or the thread of this one, that stands for the container; 0 when nobody does.</summary>
    public int StandInPid { get; }

    // It was killed, and its process in the guest is being killed for it: an engine that has seen the one delete at once.
    private bool StandInDied => StandInPid > 0 && StandInPid != Environment.ProcessId && ProcessIdentity.Of(StandInPid) is null;

    /// <summary>Cancelled when somebody deletes the container before it is made.</summary>
    internal CancellationToken CalledOff => _calledOff.Token;

    /// <summary>
    /// Ends the making of a container: it fails. Returns when nothing is made for it any more; of one that is made, at once.
    /// </summary>
    public async Task CallOffAsync()
    {
        if (Status == ContainerStatus.Creating)
        {
            await _calledOff.CancelAsync();
        }

        await _made.Task;
    }

    /// <summary>Completes when it is made and that is told, or when nothing is left of the attempt. Never faults.</summary>
    public Task Made => _made.Task;

    /// <summary>Says so. Whoever makes it calls this once, and holds no gate that a delete needs by then.</summary>
    public void EndMaking() => _made.TrySetResult();

    /// <summary>
    /// Completes when the first process has ended and everybody who asks is told that the container is stopped. Never faults.
    /// </summary>
    public async Task StoppedAsync()
    {
        await Init.Exited;
        await _exitWatch;
    }

    /// <summary>
    /// Shares the root file system and the volumes, and has the agent make the container. Takes ownership of <paramref name="stdio"/>.
    /// </summary>
    public async Task CreateAsync(ProcessStdio stdio, CancellationToken cancellationToken)
    {
        using Entered entered = await EnterAsync(cancellationToken);
        try
        {
            if (!_pod.Agent.SupportsSpecExtension)
            {
                GuestExtensionBuilder.RefuseNeed(GuestExtensionBuilder.NeedOf(Plan.Extension));
            }

            _files = await _pod.ShareAsync(Plan, cancellationToken);
            await _pod.FollowSharesAsync(this, cancellationToken);
            await Hooks.RunCreateAsync(cancellationToken);
            var request = new CreateContainerRequest
            {
                ContainerId = Plan.Id.Value,
                ExecId = Plan.Id.Value,
                OCI = Plan.GuestSpecIn(_files),
                Extension = Plan.Extension,
            };
            _inGuest = true;
            await CreateInGuestAsync(request, cancellationToken);
            await _pod.Propagation.WatchAsync(Plan.Id, _files, cancellationToken);
        }
        catch
        {
            await stdio.DisposeAsync();
            throw;
        }

        Init.Attach(stdio);
        if (Plan.Notify is { } notify && _pod.Agent.Extension is { } extension)
        {
            var request = new NotificationsRequest { ContainerId = Plan.Id.Value };
            _notifications = new NotificationRelay(
                token => extension.Notifications(request, cancellationToken: token), notify.HostPath, _pod.Agent.Condemn, _pod.Time);
        }

        SetStatus(ContainerStatus.Created);
        _pod.Log.ContainerCreated(Plan.Id, StandInPid);
        _exitWatch = WatchExitAsync().LoggedAsync(_pod.Log); // ends when the first process does
    }

    /// <summary>
    /// Mounts over its places what another container has been given of them since, so that both have the same files. What fails is
    /// logged.
    /// </summary>
    internal async Task FollowSharesAsync(CancellationToken cancellationToken)
    {
        if (_files is not { } files || Status is ContainerStatus.Creating or ContainerStatus.Stopped)
        {
            return;
        }

        foreach (Agent.Protocol.Oci.Mount mount in files.Follow())
        {
            try
            {
                await _pod.Agent.AddMountAsync(Plan.Id.Value, mount, cancellationToken);
            }
            catch (AgentException error)
            {
                _pod.Log.ContainerWarning(
                    Plan.Id, $"{error.Message}. What another container writes to '{mount.Destination}' shows there a second later");
            }
        }
    }

    /// <summary>Starts the container's program, after the startContainer hooks and before the poststart hooks.</summary>
    /// <exception cref="AgentException">The guest refused, or a startContainer hook failed: the container has ended then.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        using (await EnterAsync(cancellationToken))
        {
            await _pod.FollowNetworkAsync(cancellationToken); // whoever wired it since must find it in the guest
            await StartInGuestAsync(cancellationToken);
        }

        await Hooks.RunPoststartAsync(cancellationToken); // outside: a hook may exec or delete
    }

    /// <summary>Sends a signal to the first process, to every process with <paramref name="all"/>, or to an exec.</summary>
    /// <exception cref="SandboxStateException">It has ended.</exception>
    public async Task KillAsync(string execId, uint signal, bool all, CancellationToken cancellationToken)
    {
        GuestProcess process = execId.Length == 0 ? Init : Execs.Find(execId, "signal").Process;
        bool ended = process.Exited.IsCompleted || (execId.Length == 0 && Status == ContainerStatus.Stopped);
        if (ended && !all)
        {
            throw SandboxStateException.NotRunning("signal the container", Plan.Id.Value);
        }

        if (ended && _pod.Failure is not null)
        {
            return; // nothing of it, and nothing that could be asked, lives any more
        }

        try
        {
            await (all ? SignalAllAsync(signal, cancellationToken) : process.SignalAsync(signal, cancellationToken));
        }
        catch (AgentException error) when (error.Code == StatusCode.NotFound)
        {
            if (!all)
            {
                throw SandboxStateException.NotRunning("signal the container", Plan.Id.Value);
            }
        }
    }

    /// <summary>A call to the agent about this container.</summary>
    internal Task<Empty> CallAsync(string action, Grpc.Core.AsyncUnaryCall<Empty> call) =>
        AgentConnection.CallAsync($"{action} '{Plan.Id}'", call);

    /// <summary>Removes the container from the guest and its files from the share.</summary>
    /// <exception cref="SandboxStateException">It has not ended, and <paramref name="force"/> is false.</exception>
    public async Task DeleteAsync(bool force, CancellationToken cancellationToken)
    {
        using Entered entered = await EnterAsync(cancellationToken);
        if (_deleted)
        {
            throw SandboxStateException.NotFound("delete the container", "the container", Plan.Id.Value); // by another caller meanwhile
        }

        if (!force && !StandInDied && Status is (ContainerStatus.Running or ContainerStatus.Paused))
        {
            throw SandboxStateException.WrongState("delete the container", Plan.Id.Value, Text(Status), "stopped, or deleted with --force");
        }

        // Ends early on: the caller (cancellationToken) or, when forced, the limit of one component's end.
        using var limit = new CancellationTokenSource(force ? _pod.Plan.Timeouts.Stop : Timeout.InfiniteTimeSpan, _pod.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        await ReleaseAsync(both.Token);
        _deleted = true;
    }

    /// <summary>
    /// Undoes what was done so far, in reverse order; what the dead cannot do any more is skipped. What fails is logged: it goes
    /// with the pod at the latest, and must not keep the container.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait for the guest; the rest is done all the same.</param>
    internal async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        await TryAsync(() => _pod.Propagation.ForgetAsync(Plan.Id));
        if (_inGuest && _pod.Failure is null)
        {
            await TryAsync(() => AgentConnection.CallAsync(
                $"remove the container '{Plan.Id}' from the guest",
                _pod.Agent.Agent.RemoveContainerAsync(
                    new RemoveContainerRequest { ContainerId = Plan.Id.Value }, _pod.Agent.Timed(cancellationToken))));
            _inGuest = false;
        }

        foreach (ExecProcess exec in Execs.All)
        {
            await TryAsync(() => exec.Process.DisposeAsync().AsTask());
            await TryAsync(() => exec.Stdio.DisposeAsync().AsTask()); // of one that was never started
        }

        await TryAsync(() => _notifications?.DisposeAsync().AsTask() ?? Task.CompletedTask);
        await TryAsync(() => Init.DisposeAsync().AsTask());
        await _exitWatch;
        await TryAsync(() => _files?.ReleaseAsync(cancellationToken) ?? Task.CompletedTask);
        _files = null;
        _thread?.Dispose();
    }

    /// <summary>The state as <c>state.json</c> keeps it.</summary>
    internal ContainerState ToState()
    {
        ProcessExit? exit = Init.Exit;
        return new ContainerState
        {
            Id = Plan.Id.Value,
            OciVersion = Plan.Bundle.Spec.OciVersion,
            Bundle = Plan.Bundle.Directory,
            RootFs = Plan.Bundle.RootfsPath,
            Status = Status,
            Pid = Status == ContainerStatus.Stopped ? 0 : StandInPid,
            Created = Created,
            ExitStatus = exit?.Status,
            Reason = exit?.Reason,
            Annotations = Plan.Bundle.Spec.Annotations ?? new Dictionary<string, string>(),
            StartHookSeconds = HookRunner.LimitOfStart(Plan.Bundle.Spec.Hooks) is { } limit ? (long)limit.TotalSeconds : null,
            Poststop = Plan.Bundle.Spec.Hooks?.Poststop,
            NotifyPath = Plan.Notify?.HostPath,
        };
    }

    private async Task CreateInGuestAsync(CreateContainerRequest request, CancellationToken cancellationToken)
    {
        string action = $"create the container '{Plan.Id}' in the guest";
        TimeSpan limit = _pod.Plan.Timeouts.Create;
        try
        {
            await AgentConnection.CallAsync(
                action, _pod.Agent.Agent.CreateContainerAsync(request, _pod.Agent.Within(limit, cancellationToken)));
        }
        catch (AgentException error) when (error.IsUnanswered)
        {
            string cause = string.Create(CultureInfo.InvariantCulture, $"it did not come to be within {limit.TotalSeconds:0.#} s");
            throw new AgentException(
                action, error.Code, $"{cause}. See the pod's console.log; a slow host may need a longer create_container_timeout");
        }
    }

    private async Task StartInGuestAsync(CancellationToken cancellationToken)
    {
        if (Status != ContainerStatus.Created)
        {
            throw SandboxStateException.WrongState("start the container", Plan.Id.Value, Text(Status), "created");
        }

        TimeSpan? hooks = HookRunner.Sum(Plan.Bundle.Spec.Hooks?.StartContainer);
        await AgentConnection.CallAsync(
            $"start the container '{Plan.Id}'",
            _pod.Agent.Agent.StartContainerAsync(
                new StartContainerRequest { ContainerId = Plan.Id.Value }, _pod.Agent.Timed(hooks, cancellationToken)));
        SetStatus(ContainerStatus.Running); // unless it has ended already
        _pod.Log.ContainerStarted(Plan.Id);
    }

    private async Task TryAsync(Func<Task> step)
    {
        try
        {
            await step();
        }
        catch (Exception error) // a border, as clean-up goes on
        {
            bool unanswered = error is AgentException { Code: StatusCode.Cancelled };
            _pod.Log.ReleaseFailed(Plan.Id, unanswered ? "the guest's agent did not answer in time" : error.Message);
        }
    }

    internal static string Text(ContainerStatus status) => status.ToString().ToLowerInvariant();

    private async Task WatchExitAsync()
    {
        ProcessExit exit = await Init.Exited;
        if (exit is { Status: KilledStatus, Reason: null })
        {
            await OutOfMemory.ReportAsync(told: false); // whoever hears of the exit has heard of its cause
        }

        SetStatus(ContainerStatus.Stopped);
        _pod.Log.ContainerEnded(Plan.Id, exit);
    }

    // A program may end before the answer to its start: what is stopped stays so.
    internal void SetStatus(ContainerStatus status)
    {
        lock (_statusGate)
        {
            if (Status == ContainerStatus.Stopped)
            {
                return;
            }

            Status = status;
            Freezer.Follow(status); // in here, so that it sees every change in its order
        }

        _pod.Save();
    }

    private Task<Empty> SignalAllAsync(uint signal, CancellationToken cancellationToken) => AgentConnection.CallAsync(
        $"send signal {signal} to every process of '{Plan.Id}'",
        _pod.Agent.Agent.SignalProcessAsync(
            new SignalProcessRequest { ContainerId = Plan.Id.Value, Signal = signal }, _pod.Agent.Timed(cancellationToken)));

    /// <summary>Waits for its turn: one operation on a container at a time.</summary>
    internal async Task<Entered> EnterAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        return new Entered(_gate);
    }

    /// <summary>A turn, until it is disposed of.</summary>
    internal readonly struct Entered(SemaphoreSlim gate) : IDisposable
    {
        public void Dispose() => gate.Release();
    }
}
