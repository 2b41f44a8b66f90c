using Kata.Network;

namespace Kata.Sandbox;

/// <summary>
/// The names of docker's networks, where there is a name server in the pod's namespace: programs of the guest reach it, and it the others
/// that it asks. One call at a time.
/// </summary>
internal sealed class PodNames(SandboxPlan plan, SandboxEnvironment environment, GuestConnectStep guest) : IAsyncDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly HashSet<int> _answered = []; // taps beside which answers reach the namespace
    private NetworkNamespace? _space;
    private string? _ports; // as they were
    private Task? _relaying; // ends on _ending

    /// <summary>Begins, when there is a name server: one of a container's own would need the port. Then new interfaces are added.</summary>
    public void Follow(NetworkNamespace space, IReadOnlyList<PodInterface> interfaces)
    {
        if (_relaying is null)
        {
            if (guest.Guest!.Agent is not { SupportsNames: true, Extension: { } agent } || !NameServer.IsIn(space))
            {
                return;
            }

            _space = space;
            _ports = AnswerFilters.TakePorts(space);
            _relaying = RelayAsync(new NameRelay(space, agent, environment.Time)).LoggedAsync(environment.Log);
        }

        foreach (PodInterface item in interfaces)
        {
            if (plan.Interfaces.Model == EndpointModel.TcFilter && item.TapIndex is { } tap && _answered.Add(tap))
            {
                TryAnswer(space, item.Plan, tap);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await (_relaying ?? Task.CompletedTask);
        if (_ports is { } before)
        {
            AnswerFilters.SetPorts(_space!, before);
        }
    }

    private void TryAnswer(NetworkNamespace space, EndpointPlan plan, int tap)
    {
        try
        {
            AnswerFilters.Put(space, plan.LinkIndex, tap);
        }
        catch (NetworkException error)
        {
            environment.Log.PlanWarning($"Names that others than docker know are not known by '{plan.Name}': {error.Message}");
        }
    }

    private async Task RelayAsync(NameRelay relay)
    {
        try
        {
            await relay.RunAsync(_ending.Token);
        }
        catch (Grpc.Core.RpcException error) when (error.StatusCode is Grpc.Core.StatusCode.AlreadyExists)
        {
            environment.Log.PlanWarning(
                $"Names of docker's networks are not known in the guest of '{plan.Id}': {GuestText.Escape(error.Status.Detail)}");
        }
        catch (Exception error) when (error is Grpc.Core.RpcException or OperationCanceledException or IOException)
        {
            // The pod ends, or the guest is gone.
        }
    }
}
