using Kata.Linux;

namespace Kata.Hypervisor.Qemu;

/// <summary>The driver of QEMU.</summary>
internal sealed class QemuDriver(TimeProvider? timeProvider = null) : IHypervisorDriver
{
    /// <summary>Less than this no kernel boots with; QEMU would start and the guest stay silent.</summary>
    private const int MinMemoryMib = 64;

    private readonly TimeProvider _time = timeProvider ?? TimeProvider.System;

    public string Name => "qemu";

    public AcceleratorChoice Probe() => AcceleratorProbe.Decide(VirtualizationFacts.Read());

    public MachineCapabilities CapabilitiesOf(MachineConfig config) => QemuBoard.Of(config.MachineType).Capabilities;

    public Task<IVirtualMachine> CreateAsync(MachineConfig config, MachineResources resources, CancellationToken cancellationToken)
    {
        QemuFiles? files = null;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            Check(config, resources);
            files = QemuFiles.Open(config);
            return Task.FromResult<IVirtualMachine>(new QemuVirtualMachine(config, resources, files, _time));
        }
        catch (Exception error)
        {
            files?.Dispose();
            resources.Dispose();
            return Task.FromException<IVirtualMachine>(error);
        }
    }

    private void Check(MachineConfig config, MachineResources resources)
    {
        Require(config.VcpuCount is >= 1 and <= 240, config, $"{config.VcpuCount} processors", "Choose 1 to 240");
        Require(config.MemoryMib >= MinMemoryMib, config, $"{config.MemoryMib} MiB of memory", $"Choose {MinMemoryMib} MiB or more");
        Require(
            config.MachineType.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.'),
            config,
            $"the machine type '{PrintableText.Escape(config.MachineType)}'",
            "Name one that 'qemu-system-x86_64 -machine help' lists, for example q35");
        MachineCapabilities capabilities = CapabilitiesOf(config);
        foreach (Device device in config.Devices)
        {
            if (capabilities.RefusalOf(device, running: false) is { } refusal)
            {
                throw new HypervisorException($"Cannot create the virtual machine '{config.Name}': {refusal}");
            }

            _ = resources.Descriptors.Of(device);
        }

        foreach (FileShareDevice share in config.Devices.OfType<FileShareDevice>())
        {
            Require(
                System.Text.Encoding.UTF8.GetByteCount(share.Tag) is > 0 and <= FileShareDevice.MaxTagBytes,
                config,
                $"the shared file system tag '{PrintableText.Escape(share.Tag)}'",
                $"Use 1 to {FileShareDevice.MaxTagBytes} bytes");
        }

        int pluggable = config.Devices.Count(static device => QemuBoard.IsPluggable(device));
        Require(
            pluggable <= capabilities.MaxPluggable, config, $"{pluggable} disks, network cards and devices of the host",
            $"{capabilities.Machine} has places for {capabilities.MaxPluggable}");
        foreach (Device device in config.Devices)
        {
            (int queues, int size) = device switch
            {
                NetworkDevice card => (card.Queues, card.QueueSize),
                VhostUserNetworkDevice card => (card.Queues, card.QueueSize),
                _ => (1, VhostUserNetworkDevice.MinQueueSize),
            };
            Require(
                queues is >= 1 and <= NetworkDevice.MaxQueues, config, $"a network card of {queues} queues",
                $"Choose 1 to {NetworkDevice.MaxQueues}");
            Require(
                int.IsPow2(size) && size is >= VhostUserNetworkDevice.MinQueueSize and <= VhostUserNetworkDevice.MaxQueueSize, config,
                $"a network card whose queues have {size} places", "Choose 256, 512 or 1024");
        }
    }

    private static void Require(bool valid, MachineConfig config, string what, string fix)
    {
        if (!valid)
        {
            throw new HypervisorException($"Cannot create the virtual machine '{config.Name}': QEMU cannot run with {what}. {fix}");
        }
    }
}
