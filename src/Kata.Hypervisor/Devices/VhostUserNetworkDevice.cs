namespace Kata.Hypervisor;

/// <summary>
/// A virtio network card whose packets a program of the host carries, which maps the guest's memory for that (vhost-user): a switch in user
/// space. Its descriptor is a directory where the service listens at a socket of the name <see cref="SocketName"/> whenever the program
/// is there: the VMM connects, and again when it has lost the connection. The guest knows the card by its address.
/// </summary>
/// <param name="Id">Its name.</param>
/// <param name="Address">As <see cref="NetworkDevice"/> has it.</param>
/// <param name="Queues">Pairs of queues, 1 to <see cref="NetworkDevice.MaxQueues"/>; the program must have as many.</param>
/// <param name="QueueSize">Places of each queue: a power of two, <see cref="MinQueueSize"/> to <see cref="MaxQueueSize"/>.</param>
internal sealed record VhostUserNetworkDevice(
    DeviceId Id, string Address, int Queues = 1, int QueueSize = VhostUserNetworkDevice.MinQueueSize) : Device(Id)
{
    /// <summary>The socket's name in the directory.</summary>
    public const string SocketName = "socket";

    /// <summary>What virtio network cards have where nobody says anything else.</summary>
    public const int MinQueueSize = 256;

    /// <summary>The largest queue that VMMs have.</summary>
    public const int MaxQueueSize = 1024;

    public override DeviceKinds Kind => DeviceKinds.VhostUserNetwork;

    public override int DescriptorCount => 1;
}
