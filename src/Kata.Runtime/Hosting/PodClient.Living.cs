using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.Containerd.Protocol.Events;
using Kata.Containerd.Protocol.Subscriptions;
using Kata.Containerd.Protocol.TaskV2;
using Kata.Oci;
using Kata.Service;
using Task = System.Threading.Tasks.Task;

namespace Kata.Runtime.Hosting;

/// <summary>The calls about containers that live.</summary>
internal sealed partial class PodClient
{
    public async Task PauseAsync(ContainerId id)
    {
        using AsyncUnaryCall<Empty> call = _tasks.PauseAsync(new PauseRequest { Id = id.Value }, Options());
        await AwaitAsync(call, "pause the container", id);
    }

    public async Task ResumeAsync(ContainerId id)
    {
        using AsyncUnaryCall<Empty> call = _tasks.ResumeAsync(new ResumeRequest { Id = id.Value }, Options());
        await AwaitAsync(call, "resume the container", id);
    }

    public async Task UpdateAsync(ContainerId id, LinuxResources change)
    {
        var request = new UpdateTaskRequest
        {
            Id = id.Value,
            Resources = new Any
            {
                TypeUrl = "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources",
                Value = UnsafeByteOperations.UnsafeWrap(OciJson.Write(change)),
            },
        };
        using AsyncUnaryCall<Empty> call = _tasks.UpdateAsync(request, Options());
        await AwaitAsync(call, "update the container", id);
    }

    /// <summary>The container's processes. The texts come from the guest: escape them before printing.</summary>
    public async Task<IReadOnlyList<GuestProcess>> ListProcessesAsync(ContainerId id)
    {
        using AsyncUnaryCall<PidsResponse> call = _tasks.PidsAsync(new PidsRequest { Id = id.Value }, With(TaskHeaders.Details));
        return [.. (await AwaitAsync(call, "list the processes of the container", id)).Processes.Select(static process =>
            GuestProcess.Parser.ParseFrom(process.Info.Value))];
    }

    /// <summary>The agent's own figures. The names in them come from the guest: escape them before printing.</summary>
    public async Task<StatsContainerResponse> StatsAsync(ContainerId id)
    {
        using AsyncUnaryCall<StatsResponse> call = _tasks.StatsAsync(
            new StatsRequest { Id = id.Value }, With(TaskHeaders.AgentStats));
        return StatsContainerResponse.Parser.ParseFrom((await AwaitAsync(call, "read the figures of the container", id)).Stats.Value);
    }

    /// <summary>What happens to the pod's containers from now on. The caller disposes of the call.</summary>
    public AsyncServerStreamingCall<Envelope> Subscribe() => _events.Subscribe(new SubscribeRequest(), new CallOptions());

    /// <summary>Completes when the container has ended. May take years.</summary>
    public async Task WaitAsync(ContainerId id)
    {
        using AsyncUnaryCall<WaitResponse> call = _tasks.WaitAsync(new WaitRequest { Id = id.Value }, new CallOptions());
        await AwaitAsync(call, "wait for the container", id);
    }

    private static CallOptions With(string header) => Options().WithHeaders(new Metadata { { header, "true" } });
}
