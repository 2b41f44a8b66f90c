using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kata.Containerd.Protocol.TaskV2;
using Kata.Linux;
using Kata.Oci;
using Kata.Sandbox;
using static Kata.Service.ServiceStatus;
using TaskStatus = Kata.Containerd.Protocol.Types.Status;

namespace Kata.Service;

/// <summary>
/// containerd's Task service for one pod: the one core under the command line, the shim and the library. The first Create boots
/// the pod, the last Delete ends it, unless <see cref="SandboxService"/> holds it.
/// </summary>
internal sealed partial class TaskService(PodHost host, PodLife life) : Containerd.Protocol.TaskV2.Task.TaskBase
{
    private const uint KilledStatus = 137; // as a shell calls SIGKILL

    public override Task<CreateTaskResponse> Create(CreateTaskRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        ContainerId id = ContainerId.Parse(request.Id);
        StandInSession? standIn = host.StandIns.Take(id.Value, "");
        await EnterAsync(standIn, context.CancellationToken);
        bool first = life is { Pod: null, Held: null, Ended.IsCompleted: false };
        bool claimed = false;
        ProcessStdio? stdio = null;
        try
        {
            claimed = life.Claim(id);
            Bundle bundle = Bundle.Load(request.Bundle);
            PodSandbox pod = await life.JoinAsync(bundle, request);
            if (life.Held is { } settings)
            {
                bundle = bundle.WithSpec(settings.Complete(bundle.Spec, host.FilesDirectory));
            }

            ContainerPlan plan = ContainerPlanner.Plan(id, bundle, pod.Plan.GuestSeccomp, host.Files, pod.Namespaces(host.Files).OwnerOf, pod.Plan.SharedMemory, pod.Plan.Files,
                    context.RequestHeaders.Get(NotifyHeader) is not null ? host.NotifySocket(id) : null)
                .WithCallerLimits(LimitsOf(context))
                .WithPlainNewlines(standIn?.Hello.PlainNewlines ?? false)
                .WithRootFs([.. request.Rootfs.Select(static mount => new FileSystemMount(mount.Type, mount.Source, mount.Target, mount.Options))]);
            stdio = await OpenStdioAsync(standIn, request.Id, new StdioNames(request.Stdin, request.Stdout, request.Stderr, request.Terminal), host.Stopping);
            Container container = await pod.AddContainerAsync(plan, stdio, standIn?.Pid, host.Stopping);
            var response = new CreateTaskResponse { Pid = (uint)container.StandInPid };
            PublishCreated(request, response.Pid);
            TrackExit(container, container.Init, container.StoppedAsync());
            host.Track(DeleteAbandonedAsync(container));
            TrackStandIn(standIn, container.Init, container.StoppedAsync());
            if (first)
            {
                host.Track(MemoryTrim.RunAsync());
            }

            return response;
        }
        catch
        {
            await AbandonAsync(standIn, stdio);
            if (first)
            {
                await life.EndAfterFailureAsync();
            }
            else if (claimed)
            {
                host.Release(id);
            }

            throw;
        }
        finally
        {
            life.Gate.Release();
        }
    });

    public override Task<StartResponse> Start(StartRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        Container container = Find(request.Id, "start");
        if (request.ExecId.Length == 0)
        {
            return new StartResponse
            {
                Pid = await PublishStartAsync(request.Id, "", async () =>
                {
                    await container.StartAsync(context.CancellationToken);
                    return (uint)container.StandInPid;
                }),
            };
        }

        _execStandIns.TryRemove((request.Id, request.ExecId), out StandInSession? standIn);
        try
        {
            ExecProcess exec = null!;
            uint pid = await PublishStartAsync(request.Id, request.ExecId, async () =>
            {
                exec = await container.StartExecAsync(request.ExecId, context.CancellationToken);
                TrackExit(container, exec.Process, exec.Process.Exited);
                return (uint)exec.StandInPid;
            });
            // Whoever came with a stand-in learns the exit from it and never asks again.
            TrackStandIn(standIn, exec.Process, exec.Process.Exited, async () =>
            {
                await container.DeleteExecAsync(request.ExecId, CancellationToken.None);
                await ExitToldAsync(request.Id, request.ExecId);
            });
            return new StartResponse { Pid = pid };
        }
        catch when (standIn is not null)
        {
            await standIn.AbandonAsync(CancellationToken.None);
            await standIn.DisposeAsync();
            await container.DeleteExecAsync(request.ExecId, CancellationToken.None);
            throw;
        }
    });

    public override Task<DeleteResponse> Delete(DeleteRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        if (request.ExecId.Length > 0)
        {
            Container container = Find(request.Id, "delete");
            GuestProcess process = container.FindExec(request.ExecId, "delete").Process;
            await container.DeleteExecAsync(request.ExecId, context.CancellationToken);
            await DropStandInAsync(request.Id, request.ExecId);
            await ExitToldAsync(request.Id, request.ExecId);
            return Deleted(process, 0);
        }

        bool force = context.RequestHeaders.Get(ForceHeader) is not null;
        if (force && life.Pod is null && request.Id == host.Sandbox.Value)
        {
            // The pod's own first container, and the pod boots or was never told to: nothing here is worth waiting for. The
            // caller removes us as a whole.
            throw new RpcException(new Status(StatusCode.Unavailable, $"Cannot delete the container '{request.Id}': its pod is not up"));
        }

        await life.Gate.WaitAsync(context.CancellationToken);
        try
        {
            return await DeleteAsync(ContainerId.Parse(request.Id), force);
        }
        finally
        {
            life.Gate.Release();
        }
    });

    public override Task<StateResponse> State(StateRequest request, ServerCallContext context) => RunAsync(() =>
    {
        Container container = Find(request.Id, "query");
        ExecProcess? exec = request.ExecId.Length == 0 ? null : container.FindExec(request.ExecId, "query");
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
        catch (SandboxStateException error) when (error.Error == SandboxStateError.WrongState && host.HasContainerd)
        {
            throw new RpcException(new Status(StatusCode.NotFound, $"{error.Message}: process already finished")); // what containerd expects of one that has ended
        }

        return new Empty();
    });

    public override Task<WaitResponse> Wait(WaitRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        Container container = Find(request.Id, "wait for");
        GuestProcess process = request.ExecId.Length == 0 ? container.Init : container.FindExec(request.ExecId, "wait for").Process;
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
                : life.Pod?.Containers.FirstOrDefault(container => container.Plan.Id.Value == request.Id)?.StandInPid ?? 0),
            Version = RuntimeVersion.Text,
        }));

    /// <summary>Ends the pod whatever is in it when the caller says <c>now</c>; else only an empty one.</summary>
    public override Task<Empty> Shutdown(ShutdownRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        await life.Gate.WaitAsync(context.CancellationToken);
        try
        {
            if (((life.Pod is null && life.Held is null) || request.Now) && !life.Ended.IsCompleted)
            {
                await life.EndAsync();
            }

            life.Dismiss();
            return new Empty();
        }
        finally
        {
            life.Gate.Release();
        }
    });

    private async System.Threading.Tasks.Task EnterAsync(StandInSession? standIn, CancellationToken cancellationToken)
    {
        try
        {
            await life.Gate.WaitAsync(cancellationToken);
        }
        catch
        {
            await AbandonAsync(standIn, null); // nobody else knows of it any more
            throw;
        }
    }

    // A restarted containerd asks for the pod as if it were a container, and so does who deletes it.
    private bool IsHeldPod(string id) => life.Held is not null && id == host.Sandbox.Value;

    private Container Find(string id, string action) =>
        (life.Pod ?? throw SandboxStateException.NotFound($"{action} the container", "it", id)).Find(id, $"{action} the container");

    // Under life.Gate, and so looked up only now: the delete or create before this one may have changed everything.
    private async Task<DeleteResponse> DeleteAsync(ContainerId id, bool force)
    {
        if (force && IsHeldPod(id.Value))
        {
            try
            {
                await DeleteAllAsync();
            }
            finally
            {
                await life.EndAsync();
            }

            return new DeleteResponse { ExitStatus = KilledStatus, ExitedAt = Timestamp.FromDateTimeOffset(host.Environment.Time.GetUtcNow()) };
        }

        Container container;
        try
        {
            container = Find(id.Value, "delete");
        }
        catch (SandboxStateException) when (force && host.IsClaimed(id))
        {
            await host.StandIns.DropAsync(id.Value);
            host.Release(id); // its create is on its way, or was killed on it
            throw;
        }

        if (container.Init.Exit is not null)
        {
            await container.StoppedAsync(); // State has said so; what follows an exit is a moment behind
        }

        int left = await life.Pod!.DeleteContainerAsync(container, force, CancellationToken.None);
        // It is gone: whatever fails from here on, its id goes, and with the last one the service.
        var cleanUp = new CleanUp();
        await cleanUp.TryAsync(() => DropStandInsAsync(id));
        DeleteResponse response = Deleted(container.Init, container.StandInPid);
        await cleanUp.TryAsync(() => PublishDeletedAsync(id.Value, response));
        if (left == 0 && life.Held is null)
        {
            await cleanUp.TryAsync(() => life.EndAsync(container)); // releases the id too, last of all
        }
        else
        {
            await cleanUp.TryAsync(container.RunPoststopHooksAsync);
            cleanUp.Try(() => host.Release(id));
            host.Track(MemoryTrim.RunAsync());
        }

        cleanUp.ThrowIfFailed();
        return response;
    }

    /// <summary>Ends and deletes every container, each with its events. Under <see cref="PodLife.Gate"/>.</summary>
    public async System.Threading.Tasks.Task DeleteAllAsync()
    {
        var cleanUp = new CleanUp();
        foreach (Container container in life.Pod?.Containers ?? [])
        {
            await cleanUp.TryAsync(() => DeleteAsync(container.Plan.Id, force: true));
        }

        cleanUp.ThrowIfFailed();
    }

    private static DeleteResponse Deleted(GuestProcess process, int pid)
    {
        ProcessExit exit = process.Exit!; // deleted: it has ended
        return new DeleteResponse { Pid = (uint)pid, ExitStatus = exit.Status, ExitedAt = Timestamp.FromDateTimeOffset(exit.At) };
    }
}
