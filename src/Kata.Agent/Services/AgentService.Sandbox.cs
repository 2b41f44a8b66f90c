using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kata.Agent.Boot;
using Kata.Agent.Containers;
using Kata.Agent.Protocol;
using Kata.Agent.Storage;

namespace Kata.Agent.Services;

internal sealed partial class AgentServiceHandler
{
    public override Task<Empty> CreateSandbox(CreateSandboxRequest request, ServerCallContext context) =>
        _call.RunAsync(context, () => _sandbox.CreateAsync(request, context.CancellationToken));

    public override Task<Empty> DestroySandbox(DestroySandboxRequest request, ServerCallContext context) =>
        _call.RunAsync(context, async () =>
        {
            foreach (Container container in _table.All)
            {
                await _containers.Remover.RemoveAsync(container, s_destroyLimit, context.CancellationToken);
            }

            foreach (string storage in await _storages.DetachAllAsync(context.CancellationToken))
            {
                _logger.StorageLeft(storage);
            }

            await _sandbox.DetachDisksAsync();
            Kata.Linux.Interop.LibC.sync(); // the host stops the machine next
        });

    public override Task<GuestDetailsResponse> GetGuestDetails(GuestDetailsRequest request, ServerCallContext context) =>
        _call.Run(context, () =>
        {
            var response = new GuestDetailsResponse
            {
                AgentDetails = new AgentDetails { Version = AgentVersion.Number, InitDaemon = true, SupportsSeccomp = true },
            };
            response.AgentDetails.StorageHandlers.Add(_drivers.Names);
            response.AgentDetails.ExtraFeatures.Add(AgentVersion.ExtensionFeature);
            if (request.MemBlockSize)
            {
                const string BlockSize = "/sys/devices/system/memory/block_size_bytes";
                response.MemBlockSizeBytes = File.Exists(BlockSize) ? Convert.ToUInt64(File.ReadAllText(BlockSize).Trim(), 16) : 0;
            }

            response.SupportMemHotplugProbe = request.MemHotplugProbe && File.Exists(MemoryProbe);
            return response;
        });

    public override Task<Empty> SetGuestDateTime(SetGuestDateTimeRequest request, ServerCallContext context) => _call.Run(context, () =>
    {
        GuestHost.SetClock(request.Sec, request.Usec);
    });

    public override Task<Empty> ReseedRandomDev(ReseedRandomDevRequest request, ServerCallContext context) => _call.Run(context, () =>
    {
        GuestHost.Reseed(request.Data.Span);
    });

    public override Task<Empty> OnlineCPUMem(OnlineCPUMemRequest request, ServerCallContext context) => _call.Run(context, () =>
    {
        HotplugSysfs.Online(request.NbCpus, request.CpuOnly);
    });

    public override Task<Empty> MemHotplugByProbe(MemHotplugByProbeRequest request, ServerCallContext context) => _call.Run(context, () =>
    {
        foreach (ulong address in request.MemHotplugProbeAddr)
        {
            File.WriteAllText(MemoryProbe, $"0x{address:x}");
        }
    });

    public override Task<Empty> CopyFile(CopyFileRequest request, ServerCallContext context) => _call.Run(context, () =>
    {
        new FileReceiver(FileReceiver.GuestRoot).Receive(request);
    });

    // No confinement against stale mounts is needed: this agent keeps none.
    public override Task<Empty> RemoveStaleVirtiofsShareMounts(RemoveStaleVirtiofsShareMountsRequest request, ServerCallContext context) =>
        Task.FromResult(new Empty());
}
