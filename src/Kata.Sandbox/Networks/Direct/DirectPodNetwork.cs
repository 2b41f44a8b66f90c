using System.Globalization;
using Kata.Hypervisor;
using Kata.Network;

namespace Kata.Sandbox;

/// <summary>
/// The cards of a pod whose network a file names. The machine starts with them, and the guest is told of them once: nobody says when such
/// a network changes.
/// </summary>
internal sealed class DirectPodNetwork(SandboxPlan plan, SandboxEnvironment environment, GuestConnectStep guest)
{
    private NetworkNamespace? _space;

    /// <summary>What the machine is to start with.</summary>
    /// <exception cref="NetworkException">A back end cannot be used.</exception>
    public IReadOnlyList<DeviceStep> Open() => plan.DirectNetwork is { } network
        ? [.. network.Cards.Select((card, at) => StepOf(
            network, card, new DeviceId(string.Create(CultureInfo.InvariantCulture, $"direct{at + 1}"))))]
        : [];

    /// <summary>Has the guest, which is up, give the cards names, addresses and routes.</summary>
    /// <exception cref="AgentException">It cannot take something.</exception>
    public Task EnterAsync(CancellationToken cancellationToken) =>
        plan.DirectNetwork is { Cards: { Count: > 0 } cards, Network: { } network }
        ? IGuestNetwork.Of(plan.Id, guest.Guest!.Agent, environment.Log.PlanWarning)
            .SetAsync(network, [.. cards.Select(static card => card.Plan)], cancellationToken)
        : Task.CompletedTask;

    /// <summary>Lets go of the namespace of the taps, when their steps are undone.</summary>
    public void Leave() => _space?.Dispose();

    private DeviceStep StepOf(DirectNetwork network, DirectCard card, DeviceId id)
    {
        string address = card.Plan.Address.ToString();
        switch (card.Backend)
        {
            case VhostUserBackend back:
                bool listens = VhostUserStep.IsToListen(back.SocketPath, environment.CallerMountNamespace);
                return new VhostUserStep(
                    back.SocketPath, listens, new VhostUserNetworkDevice(id, address, back.Queues, back.QueueSize),
                    Path.Combine(environment.Directories.Sandbox(plan.Id), id.Value),
                    (plan.Machine.JailUserId, plan.Machine.JailGroupId), environment.CallerMountNamespace, plan.Timeouts.Request,
                    environment.Time);
            case TapBackend tap:
                _space ??= network.Namespace is { } path
                    ? NetworkNamespace.Open(path, environment.CallerMountNamespace)
                    : NetworkNamespace.Open("/proc/self/ns/net", mountNamespace: null);
                bool vhost = plan.Machine.Accelerator == Accelerator.Kvm && VhostNet.IsThere;
                return new HostTapStep(_space, tap, new NetworkDevice(id, address, tap.Queues, vhost, tap.QueueSize));
            default:
                throw new InvalidOperationException($"Nobody knows what {card.Backend.GetType().Name} is");
        }
    }
}
