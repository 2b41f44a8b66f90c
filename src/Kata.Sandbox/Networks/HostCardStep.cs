using Kata.Hypervisor;
using Kata.Linux;
using Kata.Network;

namespace Kata.Sandbox;

/// <summary>A network card of the host, taken from its driver for a guest: its interface leaves the pod's network namespace.</summary>
/// <param name="bus">The host's.</param>
/// <param name="device">The card, for the machine.</param>
/// <param name="card">What it is to be again.</param>
/// <param name="pods">All cards that the guest is to have.</param>
/// <param name="time">Measures how long its driver takes.</param>
internal sealed class HostCardStep(
    PciBus bus, HostDevice device, HostCard card, IReadOnlyCollection<PciAddress> pods, TimeProvider time) : DeviceStep(device)
{
    public override string Name => $"the card '{card.Device}'";

    public override IReadOnlyList<Acquisition> Records => [new HostCardAcquisition(card.ToString())];

    public override Task DoAsync(CancellationToken cancellationToken)
    {
        HostCards.Take(bus, card, pods);
        return Task.CompletedTask;
    }

    public override void HandOver(DeviceDescriptors descriptors)
    {
        // The machine opens it by its number: VFIO's devices are those of a group, which one process has.
    }

    public override Task UndoAsync(CancellationToken cancellationToken) =>
        card.ReturnAsync(bus, NetworkNamespace.OpenOwn, time, cancellationToken);
}
