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
using ExtensionProcess = Kata.Agent.Protocol.Extension.GuestProcess;

namespace Kata.Service;

/// <summary>What can be done to a container that lives: pause, resume, look into it, change its limits.</summary>
internal sealed partial class TaskService
{
    /// <summary>Request metadata by which <c>ps</c> gets each process's description, as a GuestProcess in the Any.</summary>
    public const string DetailsHeader = "kata-details";

    /// <summary>Request metadata by which <c>events</c> gets the agent's own figures: more than containerd's message has room for.</summary>
    public const string AgentStatsHeader = "kata-agent-stats";

    /// <summary>Request metadata by which <c>exec --ignore-paused</c> is let into a paused container.</summary>
    public const string IgnorePausedHeader = "kata-ignore-paused";

    private readonly bool _unifiedHost = CgroupLayout.Read().IsUnified;

    public override Task<Empty> Pause(PauseRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        await Find(request.Id, "pause").PauseAsync(context.CancellationToken);
        host.Events.Publish("/tasks/paused", new TaskPaused { ContainerId = request.Id });
        return new Empty();
    });

    public override Task<Empty> Resume(ResumeRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        await Find(request.Id, "resume").ResumeAsync(context.CancellationToken);
        host.Events.Publish("/tasks/resumed", new TaskResumed { ContainerId = request.Id });
        return new Empty();
    });

    /// <summary>The processes as the container numbers them: the host has no numbers for them.</summary>
    public override Task<PidsResponse> Pids(PidsRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        bool details = context.RequestHeaders.Get(DetailsHeader) is not null;
        var response = new PidsResponse();
        Container container = Find(request.Id, "list the processes of");
        IReadOnlyList<ExtensionProcess> processes = await container.ListProcessesAsync(context.CancellationToken);
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
        LinuxResources change = request.Resources is { } document ? OciJson.ParseResources(OciDocument.Read(document, "LinuxResources")) : new LinuxResources();
        await container.UpdateAsync(change, context.CancellationToken);
        return new Empty();
    });

    public override Task<StatsResponse> Stats(StatsRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        StatsContainerResponse stats = await Find(request.Id, "read the figures of").StatsAsync(context.CancellationToken);
        return new StatsResponse
        {
            Stats = context.RequestHeaders.Get(AgentStatsHeader) is not null
                ? new Any { TypeUrl = "grpc.StatsContainerResponse", Value = stats.ToByteString() }
                : ContainerMetrics.Pack(stats, _unifiedHost),
        };
    });
}
