using Kata.Hypervisor;
using Kata.Linux;
using Kata.Network;

namespace Kata.Sandbox;

/// <summary>What the host needs for one network card: a tap that is connected with an interface of the pod's network namespace.</summary>
internal sealed class TapStep(NetworkNamespace space, EndpointPlan plan, EndpointOptions options, NetworkDevice card) : DeviceStep(card)
{
    private readonly List<SafeFileDescriptor> _vhost = [];
    private Tap? _tap;

    public override string Name => $"the interface '{plan.Name}'";

    public override IReadOnlyList<Acquisition> Records => [new RedirectAcquisition(space, plan.LinkIndex)];

    /// <summary>The tap's number in the namespace, once it is there.</summary>
    public int? TapIndex => _tap?.Index;

    public override Task DoAsync(CancellationToken cancellationToken)
    {
        Tap tap = Endpoint.Attach(space, plan, card.Queues, options);
        _tap = tap;
        try
        {
            for (int queue = 0; card.VhostNet && queue < card.Queues; queue++)
            {
                _vhost.Add(VhostNet.Open());
            }
        }
        catch
        {
            Release();
            throw;
        }

        return Task.CompletedTask;
    }

    public override void HandOver(DeviceDescriptors descriptors)
    {
        foreach (SafeFileDescriptor queue in _tap!.Take().Concat(_vhost))
        {
            descriptors.Add(Device.Id, queue);
        }

        _vhost.Clear();
    }

    public override Task UndoAsync(CancellationToken cancellationToken)
    {
        Release();
        return Task.CompletedTask;
    }

    private void Release()
    {
        _tap?.Dispose();
        _vhost.ForEach(static queue => queue.Dispose());
        _vhost.Clear();
        Endpoint.Detach(space, plan.LinkIndex);
    }
}
