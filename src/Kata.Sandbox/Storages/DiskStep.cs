using Kata.Hypervisor;
using Kata.Storage;

namespace Kata.Sandbox;

/// <summary>The file of a disk, open on the host. Nothing has to be recorded: it closes with the process.</summary>
/// <param name="id">The device's name in the machine.</param>
/// <param name="plan">The storage.</param>
/// <param name="image">The file; owned.</param>
internal sealed class DiskStep(DeviceId id, StoragePlan plan, DiskImage image)
    : DeviceStep(new DiskDevice(id, plan.ReadOnly, image.IsBlockDevice)), IDisposable
{
    public override string Name => $"the disk '{plan.Source}'";

    public override Task DoAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void HandOver(DeviceDescriptors descriptors) => descriptors.Add(Device.Id, image.Take());

    public override Task UndoAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    /// <summary>Closes the file, unless the machine has it; of a step that was never taken.</summary>
    public void Dispose() => image.Dispose();
}
