using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kata.Agent.Cgroups;
using Kata.Agent.Containers;
using Kata.Agent.Network;
using Kata.Agent.Protocol;
using Kata.Agent.Storage;
using Microsoft.Extensions.Logging;

namespace Kata.Agent.Services;

/// <summary>
/// grpc.AgentService. The host is trusted; what it passes on from users is bounded all the same. Calls that this agent does not
/// serve say so by Unimplemented: success is never answered for something that was not done.
/// </summary>
internal sealed partial class AgentServiceHandler(
    ContainerOperations containers, Sandbox sandbox, StorageDrivers drivers, StorageTable storages, GuestNetwork network, OomWatcher oom,
    ILogger logger)
    : AgentService.AgentServiceBase
{
    private const string MemoryProbe = "/sys/devices/system/memory/probe";

    // Killed processes end at once unless the kernel is stuck in a device; the host switches the machine off next anyway.
    private static readonly TimeSpan s_destroyLimit = TimeSpan.FromSeconds(10);

    private readonly ContainerOperations _containers = containers;
    private readonly ContainerTable _table = containers.Table;
    private readonly Sandbox _sandbox = sandbox;
    private readonly StorageDrivers _drivers = drivers;
    private readonly StorageTable _storages = storages;
    private readonly GuestNetwork _network = network;
    private readonly OomWatcher _oom = oom;
    private readonly ILogger _logger = logger;
    private readonly AgentCall _call = new(logger);

    public override Task<GetIPTablesResponse> GetIPTables(GetIPTablesRequest request, ServerCallContext context) =>
        throw No("iptables rules");

    public override Task<SetIPTablesResponse> SetIPTables(SetIPTablesRequest request, ServerCallContext context) =>
        throw No("iptables rules");

    public override Task<Metrics> GetMetrics(GetMetricsRequest request, ServerCallContext context) => throw No("guest metrics");

    public override Task<Empty> MemAgentMemcgSet(MemAgentMemcgConfig request, ServerCallContext context) => throw No("the memory agent");

    public override Task<Empty> MemAgentCompactSet(MemAgentCompactConfig request, ServerCallContext context) =>
        throw No("the memory agent");

    public override Task<Empty> AddSwap(AddSwapRequest request, ServerCallContext context) => throw No("swap devices");

    public override Task<Empty> AddSwapPath(AddSwapPathRequest request, ServerCallContext context) => throw No("swap devices");

    public override Task<VolumeStatsResponse> GetVolumeStats(VolumeStatsRequest request, ServerCallContext context) =>
        throw No("volume statistics");

    public override Task<Empty> ResizeVolume(ResizeVolumeRequest request, ServerCallContext context) => throw No("resizing volumes");

    public override Task<Empty> SetPolicy(SetPolicyRequest request, ServerCallContext context) => throw No("request policies");

    public override Task<Empty> UpdateEphemeralMounts(UpdateEphemeralMountsRequest request, ServerCallContext context) =>
        throw No("resizing ephemeral mounts");

    private static RpcException No(string what) => AgentException.Missing($"This agent does not support {what} yet");
}
