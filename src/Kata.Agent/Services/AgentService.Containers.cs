using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kata.Agent.Cgroups;
using Kata.Agent.Containers;
using Kata.Agent.Protocol;
using Kata.Linux;

namespace Kata.Agent.Services;

internal sealed partial class AgentServiceHandler
{
    public override Task<Empty> CreateContainer(CreateContainerRequest request, ServerCallContext context) =>
        _call.RunAsync(context, () => _containers.Factory.CreateAsync(request, context.CancellationToken));

    public override Task<Empty> StartContainer(StartContainerRequest request, ServerCallContext context) =>
        _call.RunAsync(context, () => _containers.Launcher.StartAsync(_table.Get(request.ContainerId), context.CancellationToken));

    public override Task<Empty> RemoveContainer(RemoveContainerRequest request, ServerCallContext context) =>
        _call.RunAsync(context, async () =>
        {
            if (_table.FindStarting(request.ContainerId) is { } beginning)
            {
                await beginning.CallOffAsync(context.CancellationToken); // whoever asked for it has given up
                if (_table.Find(request.ContainerId) is null)
                {
                    return;
                }
            }

            TimeSpan limit = request.Timeout == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(request.Timeout);
            await _containers.Remover.RemoveAsync(_table.Get(request.ContainerId), limit, context.CancellationToken);
        });

    public override Task<Empty> ExecProcess(ExecProcessRequest request, ServerCallContext context) =>
        _call.RunAsync(context, () => _containers.Launcher.ExecAsync(request, context.CancellationToken));

    public override Task<Empty> SignalProcess(SignalProcessRequest request, ServerCallContext context) =>
        _call.RunAsync(context, async () =>
        {
            Container container = _table.Get(request.ContainerId);
            if (request.Signal > Signals.Last)
            {
                throw AgentException.Invalid($"Cannot send the signal {request.Signal}: the highest is {Signals.Last}");
            }

            int signal = (int)request.Signal;
            if (signal == Signals.SIGKILL && container.FindStarting(request.ExecId) is { } beginning)
            {
                await beginning.CallOffAsync(context.CancellationToken); // whoever asked for it has given up
                container.Find(request.ExecId)?.Signal(signal); // which was too late
            }
            else if (request.ExecId.Length > 0)
            {
                container.Get(request.ExecId).Signal(signal);
            }
            else if (signal == Signals.SIGKILL)
            {
                container.Cgroup.Kill();
            }
            else
            {
                container.Cgroup.Signal(signal);
            }
        });

    public override Task<WaitProcessResponse> WaitProcess(WaitProcessRequest request, ServerCallContext context) =>
        _call.RunAsync(context, async () =>
        {
            Container container = _table.Get(request.ContainerId);
            ContainerProcess process = container.Get(request.ExecId);
            ExitStatus status = await process.Exited.WaitAsync(context.CancellationToken);
            process.Waited = true;
            container.Collect(process);
            _logger.ProcessEnded(container.Id.Value, process.ExecId, status.ToString());
            return new WaitProcessResponse { Status = status.ToShellCode() };
        });

    public override Task<Empty> UpdateContainer(UpdateContainerRequest request, ServerCallContext context) =>
        _call.RunAsync(context, () => _containers.Limits.UpdateAsync(
            _table.Get(request.ContainerId), request.Resources ?? new Protocol.Oci.LinuxResources(), new Dictionary<string, string>(),
            context.CancellationToken));

    public override Task<StatsContainerResponse> StatsContainer(StatsContainerRequest request, ServerCallContext context) =>
        _call.Run(context, () =>
        {
            var response = new StatsContainerResponse { CgroupStats = CgroupStatistics.Collect(_table.Get(request.ContainerId).Cgroup) };
            response.NetworkStats.Add(CgroupParser.ParseInterfaces(File.ReadAllText("/proc/net/dev")));
            return response;
        });

    public override Task<Empty> PauseContainer(PauseContainerRequest request, ServerCallContext context) =>
        _call.RunAsync(context, () => FreezeAsync(request.ContainerId, frozen: true, context.CancellationToken));

    public override Task<Empty> ResumeContainer(ResumeContainerRequest request, ServerCallContext context) =>
        _call.RunAsync(context, () => FreezeAsync(request.ContainerId, frozen: false, context.CancellationToken));

    public override Task<OOMEvent> GetOOMEvent(GetOOMEventRequest request, ServerCallContext context) =>
        _call.RunAsync(context, async () => new OOMEvent { ContainerId = await _oom.NextAsync(context.CancellationToken) });

    private async Task FreezeAsync(string id, bool frozen, CancellationToken cancellationToken)
    {
        Container container = _table.Get(id);
        if (container.Init.Exited.IsCompleted)
        {
            throw AgentException.WrongState($"Cannot {(frozen ? "pause" : "resume")} the container '{container.Id}': it is stopped");
        }

        await container.Cgroup.FreezeAsync(frozen, cancellationToken);
    }
}
