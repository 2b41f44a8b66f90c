using Kata.Network;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>The network inside of the guest, as far as its agent can be told of it. One call at a time.</summary>
internal interface IGuestNetwork
{
    /// <summary>By the best way that the guest's agent has. It has been told nothing yet.</summary>
    /// <param name="pod">Whose guest it is.</param>
    /// <param name="agent">The guest's.</param>
    /// <param name="warn">Is told what the guest does without.</param>
    static IGuestNetwork Of(SandboxId pod, AgentConnection agent, Action<string> warn) =>
        agent.SupportsNetworkChanges ? new WholeGuestNetwork(pod, agent, warn) : new CommonGuestNetwork(pod, agent);

    /// <summary>Has the guest have what the namespace has. Says only what it was not told before.</summary>
    /// <param name="network">The namespace.</param>
    /// <param name="cards">What the guest has cards for.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="AgentException">The guest cannot take something.</exception>
    Task SetAsync(HostNetwork network, IReadOnlyList<EndpointPlan> cards, CancellationToken cancellationToken);

    /// <summary>A card has gone: what comes in its place may look the same and has been told nothing.</summary>
    void Forget(EndpointPlan card);
}
