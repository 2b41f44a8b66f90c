using Kata.Agent.Protocol.Extension;
using Kata.Network;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>By the call of our own agent, which carries all that the host's kernel knows.</summary>
internal sealed class WholeGuestNetwork(SandboxId pod, AgentConnection agent) : IGuestNetwork
{
    private NetworkState _told = NetworkState.Initial;

    public async Task SetAsync(HostNetwork network, IReadOnlyList<EndpointPlan> cards, CancellationToken cancellationToken)
    {
        NetworkState wanted = NetworkState.Of(network, cards);
        foreach (ChangeNetworkRequest request in NetworkDifference.Between(_told, wanted))
        {
            await AgentConnection.CallAsync(
                $"set up the network in the guest of '{pod}'",
                agent.Extension!.ChangeNetworkAsync(request, agent.Timed(cancellationToken)));
        }

        _told = wanted;
    }

    public void Forget(EndpointPlan card) => _told = _told.Without([card.LinkIndex]);
}
