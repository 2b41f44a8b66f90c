using Kata.Hypervisor;

namespace Kata.Sandbox;

/// <summary>A device in the machine: it was there from the start, or comes while it runs. It goes while it runs, in both cases.</summary>
/// <param name="device">What the host has for it.</param>
/// <param name="machine">The machine.</param>
/// <param name="cold">Whether the machine is started with it.</param>
/// <param name="ending">Whether the machine is about to end, so that nothing has to be taken from it.</param>
internal sealed class PlugStep(DeviceStep device, MachineStep machine, bool cold, Func<bool> ending) : Step
{
    public override string Name => $"the device '{device.Device.Id}' in the machine";

    public override IReadOnlyList<Step> Needs => [device, machine];

    public override async Task DoAsync(CancellationToken cancellationToken)
    {
        if (!cold)
        {
            using var descriptors = new DeviceDescriptors();
            device.HandOver(descriptors);
            await machine.Machine.PlugAsync(device.Device, descriptors, cancellationToken);
        }
    }

    public override Task UndoAsync(CancellationToken cancellationToken) =>
        ending() ? Task.CompletedTask : machine.Machine.UnplugAsync(device.Device.Id, cancellationToken);
}
