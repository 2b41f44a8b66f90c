using Kata.Agent.Protocol.Extension;
using Kata.Linux;
using Kata.Network;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>By the call of our own agent, which carries all that the host's kernel knows.</summary>
internal sealed class WholeGuestNetwork(SandboxId pod, AgentConnection agent, Action<string> warn) : IGuestNetwork
{
    private const int MaxReasonChars = 512; // of what a guest says

    private NetworkState _certain = NetworkState.Initial; // what the guest has
    private NetworkState _possible = NetworkState.Initial; // what it may have: more than that after a failure

    public async Task SetAsync(HostNetwork network, IReadOnlyList<EndpointPlan> cards, CancellationToken cancellationToken)
    {
        NetworkState wanted = NetworkState.Of(network, cards);
        IReadOnlyList<ChangeNetworkRequest> requests = NetworkDifference.Between(_certain, _possible, wanted);
        (_certain, _possible) = (_certain.And(wanted), _possible.Or(wanted));
        foreach (ChangeNetworkRequest request in requests)
        {
            ChangeNetworkResponse response = await AgentConnection.CallAsync(
                $"set up the network in the guest of '{pod}'",
                agent.Extension!.ChangeNetworkAsync(request, agent.Timed(cancellationToken)));
            foreach (string refused in response.RefusedSettings.Take(request.Settings.Count))
            {
                string text = PrintableText.Escape(refused[..Math.Min(refused.Length, MaxReasonChars)]);
                warn($"The guest of '{pod}' does not have a sysctl of the pod's network namespace: {text}");
            }
        }

        (_certain, _possible) = (wanted, wanted);
    }

    public void Forget(EndpointPlan card) =>
        (_certain, _possible) = (_certain.Without([card.LinkIndex]), _possible.Without([card.LinkIndex]));
}
