using Kata.Hypervisor;

namespace Kata.Sandbox;

/// <summary>A device in the machine: it was there from the start, or comes while it runs. It goes while it runs, in both cases.</summary>
/// <param name="device">What the host has for it.</param>
/// <param name="machine">Asked when it is time: there may be none before.</param>
/// <param name="cold">Whether the machine is started with it.</param>
internal sealed class PlugStep(DeviceStep device, Func<Machine> machine, bool cold) : Step
{
    public override string Name => $"the device '{device.Device.Id}' in the machine";

    public override IReadOnlyList<Step> Needs => [device];

    public override async Task DoAsync(CancellationToken cancellationToken)
    {
        if (!cold)
        {
            using var descriptors = new DeviceDescriptors();
            device.HandOver(descriptors);
            await machine().PlugAsync(device.Device, descriptors, cancellationToken);
        }
    }

    public override Task UndoAsync(CancellationToken cancellationToken) => machine().UnplugAsync(device.Device.Id, cancellationToken);
}
