using Kata.Agent.Protocol;
using Kata.Network;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// By the calls that every agent of Kata has. They have no field for much of what a network can be: see <see cref="GuestNetwork"/>.
/// </summary>
internal sealed class CommonGuestNetwork(SandboxId pod, AgentConnection agent) : IGuestNetwork
{
    private GuestNetwork _told = GuestNetwork.Empty;

    public async Task SetAsync(HostNetwork network, IReadOnlyList<EndpointPlan> cards, CancellationToken cancellationToken)
    {
        GuestNetwork before = _told;
        _told = GuestNetwork.Empty; // of what fails it may take a part
        GuestNetwork wanted = GuestNetwork.Of(network, cards);
        await TellAsync(before, wanted, cancellationToken);
        _told = wanted;
    }

    public void Forget(EndpointPlan card) => _told = GuestNetwork.Empty;

    private async Task TellAsync(GuestNetwork before, GuestNetwork wanted, CancellationToken cancellationToken)
    {
        foreach (Interface item in wanted.Interfaces.Where(item => !before.Interfaces.Contains(item)))
        {
            await AgentConnection.CallAsync(
                $"set up the interface '{item.Name}' in the guest of '{pod}'",
                agent.Agent.UpdateInterfaceAsync(new UpdateInterfaceRequest { Interface = item }, agent.Timed(cancellationToken)));
        }

        if (!wanted.Routes.SequenceEqual(before.Routes) || !wanted.Interfaces.SequenceEqual(before.Interfaces))
        {
            await AgentConnection.CallAsync(
                $"set up the routes in the guest of '{pod}'",
                agent.Agent.UpdateRoutesAsync(
                    new UpdateRoutesRequest { Routes = new Routes { Routes_ = { wanted.Routes } } }, agent.Timed(cancellationToken)));
        }

        if (wanted.Neighbours.Count > 0 && !wanted.Neighbours.SequenceEqual(before.Neighbours))
        {
            await AgentConnection.CallAsync(
                $"set up the neighbours in the guest of '{pod}'",
                agent.Agent.AddARPNeighborsAsync(
                    new AddARPNeighborsRequest { Neighbors = new ARPNeighbors { ARPNeighbors_ = { wanted.Neighbours } } },
                    agent.Timed(cancellationToken)));
        }
    }
}
