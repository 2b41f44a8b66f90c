using Kata.Hypervisor;
using Kata.Linux;
using Kata.Netlink;
using Kata.Network;

namespace Kata.Sandbox;

/// <summary>The queues of a tap that somebody has made for a card. The tap stays as it is.</summary>
/// <param name="space">Where it is. Borrowed.</param>
/// <param name="backend">The tap.</param>
/// <param name="card">The card.</param>
internal sealed class HostTapStep(NetworkNamespace space, TapBackend backend, NetworkDevice card) : DeviceStep(card)
{
    private List<SafeFileDescriptor> _queues = [];

    public override string Name => $"the tap '{backend.Name}'";

    public override Task DoAsync(CancellationToken cancellationToken)
    {
        string action = $"Cannot give the tap '{backend.Name}' of '{space.Path}' to the guest";
        try
        {
            if (space.Netlink.Links.Find(backend.Name) is not { } link)
            {
                throw new NetworkException(
                    $"{action}: there is none. Make it first, as by 'ip tuntap add {backend.Name} mode tap'", NetworkError.NotFound);
            }

            if (link.Kind is not TunKind { IsTap: true } tap)
            {
                throw new NetworkException($"{action}: it is no tap. Name one that 'ip tuntap add ... mode tap' has made");
            }

            if (tap.IsMultiQueue != card.Queues > 1)
            {
                throw new NetworkException(
                    $"{action}: it was made for {(tap.IsMultiQueue ? "several queues" : "one queue")}, and the file asks for "
                        + $"{card.Queues}. Correct 'queue_num', or make the tap {(tap.IsMultiQueue ? "without" : "with")} 'multi_queue'");
            }

            _queues = space.Run(() => TunDevice.OpenTap(backend.Name, card.Queues));
            for (int queue = 0; card.VhostNet && queue < card.Queues; queue++)
            {
                _queues.Add(VhostNet.Open());
            }
        }
        catch (Exception error) when (error is LinuxException or NetlinkException)
        {
            Release();
            throw error is LinuxException { Errno: Errno.EBUSY }
                ? new NetworkException($"{action}: another program has it open, or another pod's machine. Give each pod a tap of its own")
                : new NetworkException(action, error);
        }

        return Task.CompletedTask;
    }

    public override void HandOver(DeviceDescriptors descriptors)
    {
        _queues.ForEach(queue => descriptors.Add(Device.Id, queue));
        _queues = [];
    }

    public override Task UndoAsync(CancellationToken cancellationToken)
    {
        Release();
        return Task.CompletedTask;
    }

    private void Release()
    {
        _queues.ForEach(static queue => queue.Dispose());
        _queues = [];
    }
}
