using Google.Protobuf;
using Grpc.Core;
using Kata.Agent.Containers;
using Kata.Agent.Network;
using Kata.Agent.Processes;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Stdio;
using Kata.Agent.Storage;
using Kata.Linux;
using Microsoft.Extensions.Logging;

namespace Kata.Agent.Services;

/// <summary>kata.agent.v1.AgentExtension.</summary>
internal sealed class AgentExtensionHandler(
    ContainerOperations containers, StorageTable storages, GuestNetwork network, ILogger logger)
    : AgentExtension.AgentExtensionBase
{
    /// <summary>The one version this agent speaks.</summary>
    internal const uint ProtocolVersion = 1;

    private readonly ContainerTable _table = containers.Table;
    private readonly AgentCall _call = new(logger);

    public override Task<HelloResponse> Hello(HelloRequest request, ServerCallContext context) => _call.Run(context, () =>
    {
        if (request.ProtocolMin > ProtocolVersion || request.ProtocolMax < ProtocolVersion)
        {
            throw AgentException.WrongState(
                $"Cannot talk to the runtime {request.RuntimeVersion}: it speaks protocol {request.ProtocolMin} to {request.ProtocolMax}, "
                    + $"this agent ({AgentVersion.Number}) {ProtocolVersion}. Use a guest image of the runtime's release");
        }

        var response = new HelloResponse
        {
            Protocol = ProtocolVersion,
            AgentVersion = AgentVersion.Number,
            Commit = AgentVersion.Commit,
            KernelRelease = File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
            UptimeMs = (ulong)Environment.TickCount64,
            Cpus = (uint)Environment.ProcessorCount,
            MemoryBytes = ProcFiles.TotalMemoryBytes(File.ReadAllText("/proc/meminfo")),
        };
        response.Features.Add(
        [
            AgentVersion.ExtensionFeature, AgentVersion.SpecFeature, AgentVersion.UpdateFeature, AgentVersion.MountFeature,
            AgentVersion.StorageFeature, AgentVersion.NamesFeature, AgentVersion.NetworkFeature,
            AgentVersion.ConnectFeature,
        ]);
        return response;
    });

    public override Task<ChangeNetworkResponse> ChangeNetwork(ChangeNetworkRequest request, ServerCallContext context) =>
        _call.RunAsync(context, async () =>
        {
            IReadOnlyList<string> refused = await network.ChangeAsync(request, context.CancellationToken);
            return new ChangeNetworkResponse { RefusedSettings = { refused } };
        });

    public override Task RelayNames(
        IAsyncStreamReader<NameAnswer> requestStream, IServerStreamWriter<NameQuestion> responseStream, ServerCallContext context) =>
        _call.RunAsync(context, async () =>
        {
            if (!await requestStream.MoveNext(context.CancellationToken) || requestStream.Current.Address.Length != 4)
            {
                throw AgentException.Invalid("Cannot relay names: the first message has no address");
            }

            using var relay = NameRelay.Open(requestStream.Current.Address.Span, responseStream);
            await relay.RunAsync(requestStream, context.CancellationToken);
        });

    public override Task Connect(
        IAsyncStreamReader<ConnectionFrame> requestStream, IServerStreamWriter<ConnectionFrame> responseStream,
        ServerCallContext context) =>
        _call.RunAsync(context, async () =>
        {
            if (!await requestStream.MoveNext(context.CancellationToken) || requestStream.Current.Port is 0 or > ushort.MaxValue)
            {
                throw AgentException.Invalid("Cannot connect to the loopback interface: the first frame has no port");
            }

            await LoopbackConnection.RunAsync(
                (ushort)requestStream.Current.Port, requestStream, responseStream, context.CancellationToken);
        });

    public override Task Stdio(
        IAsyncStreamReader<StdioToGuest> requestStream, IServerStreamWriter<StdioFromGuest> responseStream, ServerCallContext context) =>
        _call.RunAsync(context, async () =>
        {
            if (!await requestStream.MoveNext(context.CancellationToken)
                || requestStream.Current.FrameCase != StdioToGuest.FrameOneofCase.Open)
            {
                throw AgentException.Invalid("Cannot open the stdio stream: its first frame is not 'open'");
            }

            StdioOpen open = requestStream.Current.Open;
            Container container = _table.Get(open.ContainerId);
            ContainerProcess process = container.Get(open.ExecId);
            if (Interlocked.Exchange(ref process.Stdio.Attached, 1) != 0)
            {
                throw AgentException.Exists($"Cannot open the stdio stream of the process '{process.ExecId}': it is open already");
            }

            try
            {
                using var session = new StdioSession(process.Stdio, process.Exited, open, requestStream, responseStream);
                await session.RunAsync(context.CancellationToken);
            }
            finally
            {
                Volatile.Write(ref process.Stdio.Attached, 0);
                container.Collect(process);
            }
        });

    public override Task<ListProcessesResponse> ListProcesses(ListProcessesRequest request, ServerCallContext context) =>
        _call.Run(context, () =>
        {
            Container container = _table.Get(request.ContainerId);
            var response = new ListProcessesResponse();
            response.Processes.AddRange(ProcFiles.DescribeAll(container.Cgroup.Processes(), container.Init.Pid));
            return response;
        });

    public override Task<WriteCgroupResponse> WriteCgroup(WriteCgroupRequest request, ServerCallContext context) =>
        _call.RunAsync(context, async () =>
        {
            await containers.Limits.UpdateAsync(
                _table.Get(request.ContainerId), request.Resources, new Dictionary<string, string>(request.Values),
                context.CancellationToken);
            return new WriteCgroupResponse();
        });

    public override Task<AddMountResponse> AddMount(AddMountRequest request, ServerCallContext context) =>
        _call.RunAsync(context, async () =>
        {
            await containers.Mounts.AddAsync(
                _table.Get(request.ContainerId), request.Source, request.Destination, request.ReadOnly, context.CancellationToken);
            return new AddMountResponse();
        });

    public override Task<RemoveMountResponse> RemoveMount(RemoveMountRequest request, ServerCallContext context) =>
        _call.RunAsync(context, async () =>
        {
            await containers.Mounts.RemoveAsync(_table.Get(request.ContainerId), request.Destination, context.CancellationToken);
            return new RemoveMountResponse();
        });

    public override Task<AddStorageResponse> AddStorage(AddStorageRequest request, ServerCallContext context) =>
        _call.RunAsync(context, async () =>
        {
            Protocol.Storage storage = request.Storage
                ?? throw AgentException.Invalid($"Cannot add the storage '{request.Id}': the request has none");
            return new AddStorageResponse { Device = await storages.AddAsync(request.Id, storage, context.CancellationToken) };
        });

    public override Task<RemoveStorageResponse> RemoveStorage(RemoveStorageRequest request, ServerCallContext context) =>
        _call.RunAsync(context, async () =>
        {
            await storages.RemoveAsync(request.Id, context.CancellationToken);
            return new RemoveStorageResponse();
        });

    public override Task Notifications(
        NotificationsRequest request, IServerStreamWriter<Notification> responseStream, ServerCallContext context) =>
        _call.RunAsync(context, async () =>
        {
            Container container = _table.Get(request.ContainerId);
            DatagramReceiver receiver = container.Notifications
                ?? throw AgentException.NotFound($"Cannot listen to the container '{container.Id}': it has no socket for notifications");
            if (Interlocked.Exchange(ref container.Listeners, 1) != 0)
            {
                throw AgentException.Exists($"Cannot listen to the container '{container.Id}': somebody does already");
            }

            try
            {
                while (true)
                {
                    byte[] datagram = await receiver.ReceiveAsync(context.CancellationToken);
                    await responseStream.WriteAsync(new Notification { Datagram = UnsafeByteOperations.UnsafeWrap(datagram) });
                }
            }
            catch (ObjectDisposedException)
            {
                // the container was removed
            }
            finally
            {
                Volatile.Write(ref container.Listeners, 0);
            }
        });
}
