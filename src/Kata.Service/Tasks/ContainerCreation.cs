using System.Collections.Concurrent;
using Grpc.Core;
using Kata.Containerd.Protocol.TaskV2;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Sandbox;
using Task = System.Threading.Tasks.Task;

namespace Kata.Service;

/// <summary>How containers come to be, the first one with its pod.</summary>
internal sealed class ContainerCreation(PodHost host, PodLife life, TaskEvents events, TaskStandIns standIns, ContainerRemoval removal)
{
    private readonly ConcurrentDictionary<string, Task> _underWay = new(); // by container

    /// <summary>Carries out a Create.</summary>
    public async Task<CreateTaskResponse> CreateAsync(CreateTaskRequest request, ServerCallContext context)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _underWay.TryAdd(request.Id, ended.Task); // of two of one id, the second fails
        try
        {
            return await CreateWholeAsync(request, context, End);
        }
        finally
        {
            End();
        }

        void End()
        {
            _underWay.TryRemove(new KeyValuePair<string, Task>(request.Id, ended.Task));
            ended.TrySetResult();
        }
    }

    /// <summary>
    /// Has a create fail that has entered no container into the pod yet, and waits for one that is under way: then all that it has made is
    /// gone or the container's. What poststop hooks do in a pod that goes on is not waited for.
    /// </summary>
    /// <param name="id">The container.</param>
    /// <param name="claim">The claim of its id.</param>
    public async Task CallOffAsync(ContainerId id, ContainerClaim? claim)
    {
        Task create = _underWay.GetValueOrDefault(id.Value) ?? Task.CompletedTask; // never faults
        if (claim is not null && host.ClaimOf(id) == claim)
        {
            await host.StandIns.DropAsync(id.Value);
            // A create that comes to the pod's gate fails on this; or it was killed, and nobody else gives the id back.
            host.Release(id, claim);
        }

        await create;
    }

    private async Task<CreateTaskResponse> CreateWholeAsync(CreateTaskRequest request, ServerCallContext context, Action gone)
    {
        ContainerId id = ContainerId.Parse(request.Id);
        StandInSession? standIn = host.StandIns.Take(id.Value, "");
        ContainerClaim? claim = null;
        Container? entered = null, unmade = null;
        try
        {
            (PodSandbox pod, Container container) = await JoinAsync(id, request, context, standIn, () => claim = host.ClaimOf(id));
            (entered, unmade) = (container, container);
            // Outside of the pod's gate: what waits for this container, its hooks above all, holds nobody else up.
            var names = new StdioNames(request.Stdin, request.Stdout, request.Stderr, request.Terminal);
            await pod.CreateContainerAsync(
                container, () => standIns.OpenStdioAsync(standIn, request.Id, names, host.Stopping), host.Stopping);
            unmade = null;
            var response = new CreateTaskResponse { Pid = (uint)container.StandInPid };
            events.PublishCreated(request, response.Pid);
            events.TrackExit(container, container.Init, container.StoppedAsync());
            container.EndMaking(); // now that its creation is told, its deletion can be
            host.Track(removal.DeleteAbandonedAsync(pod, container));
            standIns.Track(standIn, container.Init, container.StoppedAsync());
            return response;
        }
        catch
        {
            entered?.EndMaking();
            await TaskStandIns.AbandonAsync(standIn, null); // nobody else knows of it any more
            await removal.LeaveAsync(id, unmade, claim, gone);
            throw;
        }
    }

    // Under the pod's gate: boots the pod where this is its first container, and enters the container into it.
    private async Task<(PodSandbox Pod, Container Container)> JoinAsync(
        ContainerId id, CreateTaskRequest request, ServerCallContext context, StandInSession? standIn, Action claimed)
    {
        await life.EnterAsync(id, context.CancellationToken);
        IdleThread? thread = null;
        try
        {
            bool first = life is { Pod: null, Held: null, Ended.IsCompleted: false };
            if (life.Claim(id))
            {
                claimed();
            }

            Bundle bundle = host.LoadBundle(request.Bundle);
            // Somebody has to stand for a new network namespace, which an engine looks for by the container's process id.
            thread = first && standIn is null && PodNamespaces.NetworkOf(bundle.Spec) is { Path: null or "" }
                ? new IdleThread(LibC.CLONE_NEWNET)
                : null;
            PodSandbox pod = await life.JoinAsync(bundle, request, standIn is { Hello.Detached: true } ? standIn.Pid : thread?.Id);
            if (life.Held is { } settings)
            {
                bundle = bundle.WithSpec(settings.Complete(bundle.Spec, host.FilesDirectory));
            }

            ContainerPlan plan = ContainerPlanner.Plan(
                    id, bundle, pod.Plan.GuestSeccomp, host.Files, pod.Namespaces(host.Files).OwnerOf,
                    pod.Plan.SharedMemory, pod.Plan.Files,
                    context.RequestHeaders.Get(TaskHeaders.Notify) is not null ? host.NotifySocket(id) : null,
                    path => pod.Storages.Any(storage => storage.Plan.Holds(path)),
                    RootRequest.Of(
                        [
                            .. request.Rootfs.Select(static mount =>
                                new FileSystemMount(mount.Type, mount.Source, mount.Target, mount.Options)),
                        ],
                        pod.Machine.Capabilities, pod.Plan.BlockDevices))
                .WithCallerLimits(TaskHeaders.LimitsOf(context, host.Limits))
                .WithPlainNewlines(standIn?.Hello.PlainNewlines ?? false);
            IdleThread? owned = thread;
            thread = null;
            return (pod, pod.AddContainer(plan, standIn?.Pid, owned));
        }
        finally
        {
            thread?.Dispose();
            life.Gate.Release();
        }
    }
}
