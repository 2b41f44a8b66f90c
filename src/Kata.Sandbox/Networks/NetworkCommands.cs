using Kata.Agent.Protocol;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Netlink;
using Kata.Network;
using Kata.Oci;
using Microsoft.Extensions.Logging;
using GuestRoute = Kata.Agent.Protocol.Route;

namespace Kata.Sandbox;

/// <summary>
/// What people ask of a pod's network: changes of its namespace, which its guest then has, and what the guest has. A change that the
/// namespace or the guest refuses leaves both as before; what cannot be put back is logged. Thread-safe.
/// </summary>
internal sealed class NetworkCommands(SandboxId pod, PodNetwork network, Func<AgentConnection> agent, ILogger log)
{
    private readonly TakenLinks _taken = new(); // in the network's turn

    /// <summary>Gives the pod an interface, a link of its namespace or one of the host's that is brought there.</summary>
    /// <returns>What the guest has.</returns>
    /// <inheritdoc cref="ChangeAsync"/>
    public async Task<Interface> AddInterfaceAsync(InterfaceRequest request, CancellationToken cancellationToken) =>
        await FindAsync(await ChangeAsync(new InterfaceChange(request, _taken, isNew: true), cancellationToken), cancellationToken);

    /// <summary>Changes an interface that the guest has.</summary>
    /// <returns>What the guest has.</returns>
    /// <inheritdoc cref="ChangeAsync"/>
    public async Task<Interface> UpdateInterfaceAsync(InterfaceRequest request, CancellationToken cancellationToken) =>
        await FindAsync(await ChangeAsync(new InterfaceChange(request, _taken, isNew: false), cancellationToken), cancellationToken);

    /// <summary>Takes an interface from the guest.</summary>
    /// <inheritdoc cref="ChangeAsync"/>
    public Task RemoveInterfaceAsync(InterfaceRequest request, CancellationToken cancellationToken)
    {
        var removal = new InterfaceRemoval(request, _taken);
        return InTurnAsync(removal.Action, async (space, token) => await network.TryReturnAsync(space, request, token)
            ? "" : await ChangeInTurnAsync(space, removal, token), cancellationToken);
    }

    /// <summary>Changes the pod's routes.</summary>
    /// <param name="all">What there is to be, all of it; null for what there is.</param>
    /// <param name="add">Beside these.</param>
    /// <param name="remove">And not these.</param>
    /// <param name="cancellationToken">Calls it off.</param>
    /// <inheritdoc cref="ChangeAsync"/>
    public Task UpdateRoutesAsync(
        IReadOnlyList<RouteRequest>? all, IReadOnlyList<RouteRequest> add, IReadOnlyList<RouteRequest> remove,
        CancellationToken cancellationToken) =>
        ChangeAsync(new RouteChange(all, add, remove), cancellationToken);

    /// <summary>Has the guest have what the namespace has now: for whoever has changed that by himself.</summary>
    /// <returns>Why interfaces of the namespace are not in the guest, a sentence each.</returns>
    /// <inheritdoc cref="ChangeAsync"/>
    public Task<IReadOnlyList<string>> FollowAsync(CancellationToken cancellationToken) =>
        InTurnAsync("follow the network", async (space, token) =>
        {
            await network.FollowInTurnAsync(space, settings: true, token);
            return network.Refusals;
        }, cancellationToken);

    /// <summary>The guest's interfaces, the loopback too. Text from the guest, escape before printing.</summary>
    /// <exception cref="AgentException">It does not say.</exception>
    public async Task<IReadOnlyList<Interface>> ListInterfacesAsync(CancellationToken cancellationToken)
    {
        AgentConnection connection = agent();
        return (await AgentConnection.CallAsync(
            $"list the interfaces of the guest of '{pod}'",
            connection.Agent.ListInterfacesAsync(new ListInterfacesRequest(), connection.Timed(cancellationToken)))).Interfaces_;
    }

    /// <summary>The guest's routes. Text from the guest, escape before printing.</summary>
    /// <exception cref="AgentException">It does not say.</exception>
    public async Task<IReadOnlyList<GuestRoute>> ListRoutesAsync(CancellationToken cancellationToken)
    {
        AgentConnection connection = agent();
        return (await AgentConnection.CallAsync(
            $"list the routes of the guest of '{pod}'",
            connection.Agent.ListRoutesAsync(new ListRoutesRequest(), connection.Timed(cancellationToken)))).Routes_;
    }

    /// <exception cref="SandboxStateException">The pod has no network namespace, or is about to end.</exception>
    /// <exception cref="NetworkException">The namespace cannot be so, or the guest cannot have it.</exception>
    /// <exception cref="AgentException">The guest cannot take something.</exception>
    /// <exception cref="HypervisorException">The machine cannot take or give a card.</exception>
    private Task<string> ChangeAsync(NetworkChange change, CancellationToken cancellationToken) =>
        InTurnAsync(change.Action, (space, token) => ChangeInTurnAsync(space, change, token), cancellationToken);

    private async Task<T> InTurnAsync<T>(
        string action, Func<NetworkNamespace, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            return await network.InTurnAsync(action, work, cancellationToken);
        }
        catch (Exception error) when (error is OperationCanceledException or AgentException && network.Ending.IsCancellationRequested)
        {
            throw SandboxStateException.Refused(action, "its pod is about to end");
        }
    }

    // The name of the interface that it was about; empty for none.
    private async Task<string> ChangeInTurnAsync(NetworkNamespace space, NetworkChange change, CancellationToken cancellationToken)
    {
        try
        {
            _taken.Forget(space.Netlink.Links.List().Select(static link => link.Index));
            change.Do(space, network.Cards);
            string name = change.Card is { } card ? space.Netlink.Links.Get(card).Name : "";
            await network.FollowInTurnAsync(space, settings: false, cancellationToken);
            if (change.Card is { } index && !network.Cards.Contains(index))
            {
                throw new NetworkException($"Cannot {change.Action}: {network.RefusalOf(name)}");
            }

            change.Finish(space);
            return name;
        }
        catch (Exception error) // a border: what was done goes, whatever failed
        {
            await TakeBackAsync(space, change);
            if (error is NetlinkException)
            {
                throw new NetworkException($"Cannot {change.Action} in '{space.Path}'", error);
            }

            throw;
        }
    }

    private async Task TakeBackAsync(NetworkNamespace space, NetworkChange change)
    {
        try
        {
            change.Undo(space);
            if (!network.Ending.IsCancellationRequested)
            {
                await network.FollowInTurnAsync(space, settings: false, network.Ending);
            }
        }
        catch (Exception error) when (
            error is NetlinkException or NetworkException or AgentException or HypervisorException or LinuxException
                or OperationCanceledException)
        {
            log.PlanWarning($"What failed in the network of '{pod}' is not wholly undone: {error.Message}");
        }
    }

    private async Task<Interface> FindAsync(string name, CancellationToken cancellationToken) =>
        (await ListInterfacesAsync(cancellationToken)).FirstOrDefault(item => item.Name == name)
            ?? throw new AgentException(
                $"see the interface '{name}' in the guest of '{pod}'", Grpc.Core.StatusCode.NotFound,
                "the guest says that it has it, and does not list it");
}
