using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kata.Agent.Protocol;
using Kata.Containerd.Protocol.Events;
using Kata.Containerd.Protocol.TaskV2;
using Kata.Containerd.Protocol.Types;
using Kata.Linux;
using Kata.Oci;
using Kata.Sandbox;
using static Kata.Service.ServiceStatus;
using ExecProcessRequest = Kata.Containerd.Protocol.TaskV2.ExecProcessRequest;
using ExtensionProcess = Kata.Agent.Protocol.Extension.GuestProcess;
using RuntimeVersion = Kata.Sandbox.RuntimeVersion;
using Status = Grpc.Core.Status;
using TaskStatus = Kata.Containerd.Protocol.Types.Status;

namespace Kata.Service;

/// <summary>
/// containerd's Task service for one pod: the one core under the command line, the shim and the library. The first Create boots
/// the pod, the last Delete ends it, unless <see cref="SandboxService"/> holds it.
/// </summary>
internal sealed partial class TaskService : Containerd.Protocol.TaskV2.Task.TaskBase
{
    private const uint KilledStatus = 137; // as a shell calls SIGKILL

    private readonly PodHost _host;
    private readonly PodLife _life;
    private readonly TaskEvents _events;
    private readonly TaskStandIns _standIns;
    private readonly ContainerCreation _creation;
    private readonly bool _unifiedHost = CgroupLayout.Read().IsUnified;

    public TaskService(PodHost host, PodLife life)
    {
        (_host, _life, _events, _standIns) = (host, life, new TaskEvents(host), new TaskStandIns(host));
        Removal = new ContainerRemoval(host, life, _events, _standIns);
        _creation = new ContainerCreation(host, life, _events, _standIns, Removal);
    }

    /// <summary>How containers go, for who ends the pod.</summary>
    public ContainerRemoval Removal { get; }

    public override Task<CreateTaskResponse> Create(CreateTaskRequest request, ServerCallContext context) =>
        RunAsync(() => _creation.CreateAsync(request, context));

    public override Task<StartResponse> Start(StartRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        Container container = Find(request.Id, "start");
        if (request.ExecId.Length == 0)
        {
            uint init = await _events.PublishStartAsync(request.Id, "", async () =>
            {
                await container.StartAsync(context.CancellationToken);
                return (uint)container.StandInPid;
            });
            _host.Track(MemoryTrim.RunAsync(_host.Time)); // of its creation, the first one's pod included
            return new StartResponse { Pid = init };
        }

        StandInSession? standIn = _standIns.Take(request.Id, request.ExecId);
        try
        {
            ExecProcess exec = null!;
            uint pid = await _events.PublishStartAsync(request.Id, request.ExecId, async () =>
            {
                exec = await container.Execs.StartAsync(request.ExecId, context.CancellationToken);
                _events.TrackExit(container, exec.Process, exec.Process.Exited);
                return (uint)exec.StandInPid;
            });
            // Whoever came with a stand-in learns the exit from it and never asks again.
            _standIns.Track(standIn, exec.Process, exec.Process.Exited, async () =>
            {
                await container.Execs.DeleteAsync(request.ExecId, CancellationToken.None);
                await _events.ExitToldAsync(request.Id, request.ExecId);
            });
            return new StartResponse { Pid = pid };
        }
        catch when (standIn is not null)
        {
            await standIn.AbandonAsync(CancellationToken.None);
            await standIn.DisposeAsync();
            await container.Execs.DeleteAsync(request.ExecId, CancellationToken.None);
            throw;
        }
    });

    public override Task<DeleteResponse> Delete(DeleteRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        if (request.ExecId.Length > 0)
        {
            Container container = Find(request.Id, "delete");
            GuestProcess process = container.Execs.Find(request.ExecId, "delete").Process;
            await container.Execs.DeleteAsync(request.ExecId, context.CancellationToken);
            await _standIns.DropAsync(request.Id, request.ExecId);
            await _events.ExitToldAsync(request.Id, request.ExecId);
            return ContainerRemoval.Deleted(process, 0);
        }

        bool force = context.RequestHeaders.Get(TaskHeaders.Force) is not null;
        return force ? await ForceDeleteAsync(ContainerId.Parse(request.Id)) : await DeleteAsync(request.Id, force: false);
    });

    public override Task<StateResponse> State(StateRequest request, ServerCallContext context) => RunAsync(() =>
    {
        Container container = Find(request.Id, "query");
        ExecProcess? exec = request.ExecId.Length == 0 ? null : container.Execs.Find(request.ExecId, "query");
        GuestProcess process = exec?.Process ?? container.Init;
        var response = new StateResponse
        {
            Id = request.Id,
            ExecId = request.ExecId,
            Bundle = container.Plan.Bundle.Directory,
            Pid = exec is { Started: false } ? 0 : (uint)container.StandInPid,
            Stdin = process.Names.Input,
            Stdout = process.Names.Output,
            Stderr = process.Names.Error,
            Terminal = request.ExecId.Length == 0 ? container.Plan.Terminal : process.Names.Terminal,
            Status = exec is { Started: false } ? TaskStatus.Created : container.Status switch // containerd deletes only what does not run
            {
                ContainerStatus.Creating or ContainerStatus.Created => TaskStatus.Created,
                ContainerStatus.Running => TaskStatus.Running,
                ContainerStatus.Paused => TaskStatus.Paused,
                _ => TaskStatus.Stopped,
            },
        };
        if (process.Exit is { } exit)
        {
            response.Status = TaskStatus.Stopped;
            response.ExitStatus = exit.Status;
            response.ExitedAt = Timestamp.FromDateTimeOffset(exit.At);
        }

        return System.Threading.Tasks.Task.FromResult(response);
    });

    public override Task<Empty> Kill(KillRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        try
        {
            await Find(request.Id, "signal").KillAsync(request.ExecId, request.Signal, request.All, context.CancellationToken);
        }
        catch (SandboxStateException error) when (error.Error == SandboxStateError.WrongState && _host.HasContainerd)
        {
            throw new RpcException(new Status(StatusCode.NotFound, $"{error.Message}: process already finished")); // containerd's words
        }

        return new Empty();
    });

    public override Task<WaitResponse> Wait(WaitRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        Container container = Find(request.Id, "wait for");
        GuestProcess process = request.ExecId.Length == 0 ? container.Init : container.Execs.Find(request.ExecId, "wait for").Process;
        if (request.ExecId.Length == 0)
        {
            await container.StoppedAsync().WaitAsync(context.CancellationToken); // whoever deletes it next must find it stopped
        }

        ProcessExit exit = await process.Exited.WaitAsync(context.CancellationToken);
        return new WaitResponse { ExitStatus = exit.Status, ExitedAt = Timestamp.FromDateTimeOffset(exit.At) };
    });

    /// <summary>
    /// Says who we are. A container that is unknown has no process, and that is no failure: before it makes one in a pod of its Sandbox
    /// service, containerd 1.7 asks by this whether the pod answers.
    /// </summary>
    public override Task<ConnectResponse> Connect(ConnectRequest request, ServerCallContext context) => RunAsync(() =>
        System.Threading.Tasks.Task.FromResult(new ConnectResponse
        {
            ShimPid = (uint)System.Environment.ProcessId,
            TaskPid = (uint)(IsHeldPod(request.Id)
                ? System.Environment.ProcessId
                : _life.Pod?.Containers.FirstOrDefault(container => container.Plan.Id.Value == request.Id)?.StandInPid ?? 0),
            Version = RuntimeVersion.Text,
        }));

    /// <summary>Ends the pod whatever is in it when the caller says <c>now</c>; else only an empty one.</summary>
    public override Task<Empty> Shutdown(ShutdownRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        await _life.Gate.WaitAsync(context.CancellationToken);
        try
        {
            if (((_life.Pod is null && _life.Held is null) || request.Now) && !_life.Ended.IsCompleted)
            {
                await _life.EndAsync();
            }

            _life.Dismiss();
            return new Empty();
        }
        finally
        {
            _life.Gate.Release();
        }
    });

    public override Task<Empty> Exec(ExecProcessRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        StandInSession? standIn = _host.StandIns.Take(request.Id, request.ExecId);
        ProcessStdio? stdio = null;
        try
        {
            Container container = Find(request.Id, "execute in");
            ContainerId.CheckExec(request.ExecId);
            // Engines copy the container's process: whether this one has a terminal only the request says, as with runc.
            ProcessSpec process = OciJson.ParseProcess(OciDocument.Read(request.Spec, "Process")) with { Terminal = request.Terminal };
            if (standIn?.Hello is { Rows: > 0, Columns: > 0 } terminal)
            {
                // Of this size from its first moment on.
                process = process with { ConsoleSize = new ConsoleSize { Height = terminal.Rows, Width = terminal.Columns } };
            }

            string? user = context.RequestHeaders.Get(TaskHeaders.User)?.Value;
            var spec = new ExecSpec(process, user, TaskHeaders.LimitsOf(context, _host.Limits), standIn?.Hello.PlainNewlines ?? false);
            var names = new StdioNames(request.Stdin, request.Stdout, request.Stderr, request.Terminal);
            stdio = await _standIns.OpenStdioAsync(standIn, request.Id, names, context.CancellationToken);
            await container.Execs.AddAsync(
                request.ExecId, spec, stdio, standIn?.Pid ?? System.Environment.ProcessId,
                context.RequestHeaders.Get(TaskHeaders.IgnorePaused) is not null, context.CancellationToken);
        }
        catch
        {
            await TaskStandIns.AbandonAsync(standIn, stdio);
            throw;
        }

        _standIns.Keep(request.Id, request.ExecId, standIn);
        _host.Events.Publish("/tasks/exec-added", new TaskExecAdded { ContainerId = request.Id, ExecId = request.ExecId });
        return new Empty();
    });

    public override Task<Empty> ResizePty(ResizePtyRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        // Clients resize whatever they attach to. What has no terminal, or none yet, has no size.
        Container container = Find(request.Id, "resize");
        ExecProcess? exec = request.ExecId.Length == 0 ? null : container.Execs.Find(request.ExecId, "resize");
        if (exec is null ? container.Plan.Terminal : exec is { Started: true, Spec.Process.Terminal: true })
        {
            await (exec?.Process ?? container.Init).ResizeAsync(request.Height, request.Width, context.CancellationToken);
        }

        return new Empty();
    });

    public override Task<Empty> CloseIO(CloseIORequest request, ServerCallContext context) => RunAsync(async () =>
    {
        if (request.Stdin)
        {
            GuestProcess process = Process(request.Id, request.ExecId, "close the input of");
            if (!process.ReleaseInput())
            {
                await process.CloseInputAsync(context.CancellationToken);
            }
        }

        return new Empty();
    });

    public override Task<Empty> Pause(PauseRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        await Find(request.Id, "pause").Freezer.PauseAsync(context.CancellationToken);
        _host.Events.Publish("/tasks/paused", new TaskPaused { ContainerId = request.Id });
        return new Empty();
    });

    public override Task<Empty> Resume(ResumeRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        await Find(request.Id, "resume").Freezer.ResumeAsync(context.CancellationToken);
        _host.Events.Publish("/tasks/resumed", new TaskResumed { ContainerId = request.Id });
        return new Empty();
    });

    /// <summary>The processes as the container numbers them: the host has no numbers for them.</summary>
    public override Task<PidsResponse> Pids(PidsRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        bool details = context.RequestHeaders.Get(TaskHeaders.Details) is not null;
        var response = new PidsResponse();
        Container container = Find(request.Id, "list the processes of");
        IReadOnlyList<ExtensionProcess> processes = await container.Resources.ListProcessesAsync(context.CancellationToken);
        if (!details && processes.Count > 0)
        {
            // Callers look these numbers up on the host: there, one process stands for all of the container's.
            response.Processes.Add(new ProcessInfo { Pid = (uint)container.StandInPid });
            return response;
        }

        foreach (ExtensionProcess process in processes)
        {
            response.Processes.Add(new ProcessInfo
            {
                Pid = (uint)process.Pid,
                Info = new Any { TypeUrl = "kata.agent.v1.GuestProcess", Value = process.ToByteString() },
            });
        }

        return response;
    });

    public override Task<Empty> Update(UpdateTaskRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        Container container = Find(request.Id, "update");
        LinuxResources change = request.Resources is { } document
            ? OciJson.ParseResources(OciDocument.Read(document, "LinuxResources")) : new LinuxResources();
        await container.Resources.UpdateAsync(change, context.CancellationToken);
        return new Empty();
    });

    public override Task<StatsResponse> Stats(StatsRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        StatsContainerResponse stats = await Find(request.Id, "read the figures of").Resources.StatsAsync(context.CancellationToken);
        return new StatsResponse
        {
            Stats = context.RequestHeaders.Get(TaskHeaders.AgentStats) is not null
                ? new Any { TypeUrl = "grpc.StatsContainerResponse", Value = stats.ToByteString() }
                : ContainerMetrics.Pack(stats, _unifiedHost),
        };
    });

    // A restarted containerd asks for the pod as if it were a container, and so does who deletes it.
    private bool IsHeldPod(string id) => _life.Held is not null && id == _host.Sandbox.Value;

    private Container Find(string id, string action) =>
        (_life.Pod ?? throw SandboxStateException.NotFound($"{action} the container", "it", id)).Find(id, $"{action} the container");

    private GuestProcess Process(string id, string execId, string action)
    {
        Container container = Find(id, action);
        return execId.Length == 0 ? container.Init : container.Execs.Find(execId, action).Process;
    }

    private Task<DeleteResponse> DeleteAsync(string id, bool force)
    {
        PodSandbox pod = _life.Pod ?? throw SandboxStateException.NotFound("delete the container", "it", id);
        return Removal.DeleteAsync(pod, pod.Find(id, "delete the container"), force);
    }

    private async Task<DeleteResponse> ForceDeleteAsync(ContainerId id)
    {
        if (IsHeldPod(id.Value))
        {
            await EndHeldPodAsync();
            return new DeleteResponse { ExitStatus = KilledStatus, ExitedAt = Timestamp.FromDateTimeOffset(_host.Time.GetUtcNow()) };
        }

        if (_life.Pod is null && id.Value == _host.Sandbox.Value)
        {
            // The pod's own first container, and the pod boots or was never told to: nothing here is worth waiting for. The
            // caller removes us as a whole.
            throw new RpcException(new Status(StatusCode.Unavailable, $"Cannot delete the container '{id}': its pod is not up"));
        }

        ContainerClaim? claim = _host.ClaimOf(id);
        try
        {
            return await DeleteAsync(id.Value, force: true);
        }
        catch (SandboxStateException error) when (error.Error == SandboxStateError.NotFound)
        {
            await _creation.CallOffAsync(id, claim);
            if (_life.Pod?.Containers.All(container => container.Plan.Id.Value != id.Value) ?? true)
            {
                throw;
            }
        }

        return await DeleteAsync(id.Value, force: true); // its create could not be called off any more
    }

    private async System.Threading.Tasks.Task EndHeldPodAsync()
    {
        await _life.Gate.WaitAsync(CancellationToken.None);
        try
        {
            if (!_life.Ended.IsCompleted)
            {
                try
                {
                    await Removal.DeleteAllAsync();
                }
                finally
                {
                    await _life.EndAsync();
                }
            }
        }
        finally
        {
            _life.Gate.Release();
        }
    }
}
