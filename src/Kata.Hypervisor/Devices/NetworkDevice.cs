namespace Kata.Hypervisor;

/// <summary>
/// A virtio network card in front of a tap device of the host. Its descriptors are the tap's queues, then with <see cref="VhostNet"/> as
/// many of <c>/dev/vhost-net</c>. The guest knows it by its address.
/// </summary>
/// <param name="Id">Its name.</param>
/// <param name="Address">Its hardware address as the guest sees it: six pairs of lower-case hexadecimal digits with colons between.</param>
/// <param name="Queues">Pairs of queues, 1 to <see cref="MaxQueues"/>: one for each processor that is to send and receive at once.</param>
/// <param name="VhostNet">Whether the host's kernel carries the packets, and not the VMM.</param>
/// <param name="QueueSize">
/// Places of each queue by which the guest receives, as <see cref="VhostUserNetworkDevice"/> has them. By the others it sends, and a tap's
/// have the smallest size.
/// </param>
internal sealed record NetworkDevice(
    DeviceId Id, string Address, int Queues = 1, bool VhostNet = false, int QueueSize = VhostUserNetworkDevice.MinQueueSize) : Device(Id)
{
    /// <summary><c>MAX_TAP_QUEUES</c> of drivers/net/tun.c.</summary>
    public const int MaxQueues = 256;

    public override DeviceKinds Kind => DeviceKinds.Network;

    public override int DescriptorCount => VhostNet ? 2 * Queues : Queues;
}
