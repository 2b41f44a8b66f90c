using System.Globalization;
using System.Runtime.ExceptionServices;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Network;

namespace Kata.Sandbox;

/// <summary>
/// The pod's network: each interface of its network namespace is a card of the guest, with the same name, addresses and routes, at the boot
/// and whenever the namespace changes. Thread-safe.
/// </summary>
internal sealed class PodNetwork(
    SandboxPlan plan, SandboxEnvironment environment, StepExecutor executor, MachineStep machine, GuestConnectStep guest) : IAsyncDisposable
{
    /// <summary>Changes come in flocks: an engine sets a link up, gives it addresses, then routes.</summary>
    private static readonly TimeSpan s_calm = TimeSpan.FromMilliseconds(20);

    private readonly SemaphoreSlim _gate = new(1, 1); // one change at a time
    private readonly CancellationTokenSource _ending = new();
    private readonly PodNames _names = new(plan, environment, guest); // under _gate
    private readonly List<PodInterface> _interfaces = []; // under _gate
    private readonly HashSet<EndpointPlan> _failed = []; // not tried again: a tap that comes and goes is a change, too; under _gate
    private readonly HashSet<string> _told = new(StringComparer.Ordinal); // warnings that were logged; under _gate
    private readonly List<string> _refusals = []; // why interfaces are not in the guest, as of the last look; under _gate
    private NetworkNamespace? _space;
    private NetworkWatch? _watch;
    private IGuestNetwork? _guest; // under _gate
    private Task _following = Task.CompletedTask; // ends on _ending
    private int _cards; // names of cards are never given twice; under _gate

    /// <summary>
    /// Opens the namespace and makes what the machine is to start with. Nothing is missed from here on: what changes meanwhile is told
    /// later.
    /// </summary>
    /// <exception cref="NetworkException">The namespace cannot be used.</exception>
    public IReadOnlyList<DeviceStep> Open()
    {
        if (plan.NetworkNamespace is not { } path)
        {
            return [];
        }

        NetworkNamespace space = NetworkNamespace.Open(path, environment.CallerMountNamespace);
        if (space.IsOurs)
        {
            space.Dispose();
            environment.Log.PlanWarning(HostNetworking.CheckNamed(plan));
            return [];
        }

        (_space, Namespace) = (space, NamespaceState.Of(space));
        _watch = NetworkWatch.Open(space);
        foreach (EndpointPlan endpoint in Wanted(HostNetwork.Read(space)))
        {
            _interfaces.Add(Make(endpoint, cold: true));
        }

        return [.. _interfaces.Select(static item => item.Tap)];
    }

    /// <summary>Gives the guest, which is up, what the machine started with, and has it follow the namespace from now on.</summary>
    /// <exception cref="AgentException">It cannot take something.</exception>
    public async Task EnterAsync(CancellationToken cancellationToken)
    {
        if (_space is null)
        {
            return;
        }

        await executor.RunAsync([.. _interfaces.Select(static item => item.Plug)], cancellationToken);
        await FollowAsync(cancellationToken);
        _following = FollowChangesAsync(_watch!, _ending.Token).LoggedAsync(environment.Log);
    }

    /// <summary>Has the guest have what the namespace has now. Does nothing when nothing has changed.</summary>
    /// <exception cref="AgentException">The guest cannot take something.</exception>
    /// <exception cref="HypervisorException">The machine cannot take or give a card.</exception>
    /// <exception cref="NetworkException">The host cannot connect an interface.</exception>
    public async Task FollowAsync(CancellationToken cancellationToken)
    {
        if (_space is not { } space)
        {
            return;
        }

        await _gate.WaitAsync(cancellationToken);
        try
        {
            await FollowInTurnAsync(space, cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>The numbers of the links that the guest has cards of. Within <see cref="InTurnAsync"/>.</summary>
    public IReadOnlyCollection<int> Cards => [.. _interfaces.Select(static item => item.Plan.LinkIndex)];

    /// <summary>Which namespace it is; null for none.</summary>
    public NamespaceState? Namespace { get; private set; }

    /// <summary>Why interfaces of the namespace are not in the guest, a sentence each. Within <see cref="InTurnAsync"/>.</summary>
    public IReadOnlyList<string> Refusals => [.. _refusals];

    /// <summary>Cancelled when the pod is about to end.</summary>
    public CancellationToken Ending => _ending.Token;

    /// <summary>Does work with the namespace while nobody else changes it for this pod.</summary>
    /// <param name="action">What for, for errors.</param>
    /// <param name="work">The work, which the pod's end calls off.</param>
    /// <param name="cancellationToken">Calls it off, too.</param>
    /// <exception cref="SandboxStateException">The pod has no network namespace.</exception>
    public async Task<T> InTurnAsync<T>(
        string action, Func<NetworkNamespace, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        NetworkNamespace space = _space ?? throw SandboxStateException.Refused(
            action, "its pod has no network namespace of its own, and so no interfaces. Create it with one");
        // Ends early on: the caller, or the pod's end.
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ending.Token);
        await _gate.WaitAsync(both.Token);
        try
        {
            _failed.Clear(); // who asks by name has it tried again
            return await work(space, both.Token);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc cref="FollowAsync"/>
    /// <remarks>Within <see cref="InTurnAsync"/>.</remarks>
    public async Task FollowInTurnAsync(NetworkNamespace space, CancellationToken cancellationToken)
    {
        HostNetwork network = HostNetwork.Read(space);
        IReadOnlyList<EndpointPlan> wanted = Wanted(network);
        ExceptionDispatchInfo? failure = await ChangeCardsAsync(wanted, cancellationToken);
        EndpointPlan[] cards = [.. wanted.Where(item => _interfaces.Any(other => other.Plan.IsSameCard(item)))];
        await Guest.SetAsync(network, cards, cancellationToken);
        _names.Follow(space, _interfaces);
        failure?.Throw();
    }

    /// <summary>Why an interface is not in the guest, and what to do. Within <see cref="InTurnAsync"/>.</summary>
    public string RefusalOf(string name) =>
        NetworkPlanner.RefusalOf(name, _refusals) ?? "it is a link that no guest can have, as a port of a bridge. Name another one";

    /// <summary>Follows no more. Cards and taps are the executor's to undo.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _gate.WaitAsync(CancellationToken.None); // a change that is under way undoes what it has done
        _gate.Release();
        await _following;
        await _names.DisposeAsync();
        _watch?.Dispose();
    }

    /// <summary>Lets go of the namespace, when nothing in it is ours any more.</summary>
    public void Leave() => _space?.Dispose();

    private IGuestNetwork Guest => _guest ??= guest.Guest!.Agent is { SupportsNetworkChanges: true } agent
        ? new WholeGuestNetwork(plan.Id, agent)
        : new CommonGuestNetwork(plan.Id, guest.Guest!.Agent);

    private async Task FollowChangesAsync(NetworkWatch watch, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await watch.WaitAsync(cancellationToken);
                await Task.Delay(s_calm, environment.Time, cancellationToken);
                _ = watch.TakeAll(); // the state that is read next has it all
                await TryFollowAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The pod ends.
        }
    }

    // One change that cannot be carried out must not end those that come later.
    private async Task TryFollowAsync(CancellationToken cancellationToken)
    {
        try
        {
            await FollowAsync(cancellationToken);
        }
        catch (Exception error) when (error is AgentException or HypervisorException or NetworkException or LinuxException)
        {
            environment.Log.PlanWarning($"The guest of '{plan.Id}' cannot follow a change of its network: {error.Message}");
        }
    }

    private IReadOnlyList<EndpointPlan> Wanted(HostNetwork network)
    {
        IReadOnlyList<EndpointPlan> wanted = NetworkPlanner.Plan(network, out IReadOnlyList<string> refused, plan.Interfaces.Model);
        _refusals.Clear();
        _refusals.AddRange(refused);
        foreach (string warning in refused.Where(_told.Add))
        {
            environment.Log.PlanWarning(warning);
        }

        return wanted;
    }

    private PodInterface Make(EndpointPlan endpoint, bool cold)
    {
        var card = new NetworkDevice(
            new DeviceId(string.Create(CultureInfo.InvariantCulture, $"net{++_cards}")),
            endpoint.Address.ToString(),
            plan.Interfaces.IsMultiQueue ? Math.Min(plan.Machine.VcpuCount, NetworkDevice.MaxQueues) : 1,
            plan.Machine.Accelerator == Accelerator.Kvm && VhostNet.IsThere);
        var tap = new TapStep(_space!, endpoint, plan.Interfaces, card);
        return new PodInterface(endpoint, tap, new PlugStep(tap, machine, cold, () => _ending.IsCancellationRequested));
    }

    // What fails with one card is no reason to leave out the others: the first failure comes back.
    private async Task<ExceptionDispatchInfo?> ChangeCardsAsync(IReadOnlyList<EndpointPlan> wanted, CancellationToken cancellationToken)
    {
        ExceptionDispatchInfo? failure = null;
        _failed.IntersectWith(wanted);
        foreach (PodInterface gone in _interfaces.Where(item => !wanted.Any(item.Plan.IsSameCard)).ToArray())
        {
            Guest.Forget(gone.Plan);
            await TryAsync(async () =>
            {
                await executor.UndoAsync([gone.Tap, gone.Plug], cancellationToken);
                _interfaces.Remove(gone);
            });
        }

        foreach (EndpointPlan added in wanted.Where(
            item => !_failed.Contains(item) && !_interfaces.Any(other => other.Plan.IsSameCard(item))))
        {
            PodInterface made = Make(added, cold: false);
            if (machine.Machine.Capabilities.RefusalOf(made.Tap.Device, running: true) is { } refusal)
            {
                Warn(NetworkPlanner.Refuse(added.Name, $"{refusal}. Have it in the pod's network namespace before the pod starts"));
                continue;
            }

            bool isMade = await TryAsync(async () =>
            {
                await executor.RunAsync([made.Tap, made.Plug], cancellationToken);
                _interfaces.Add(made);
            });
            if (!isMade)
            {
                _failed.Add(added);
            }
        }

        foreach (EndpointPlan endpoint in wanted)
        {
            if (_interfaces.FirstOrDefault(item => item.Plan.IsSameCard(endpoint)) is { } present && present.Plan.Mtu != endpoint.Mtu
                && present.Tap.TapIndex is { } tap)
            {
                await TryAsync(() =>
                {
                    Endpoint.Resize(_space!, tap, endpoint);
                    _interfaces[_interfaces.IndexOf(present)] = present with { Plan = endpoint };
                    return Task.CompletedTask;
                });
            }
        }

        return failure;

        async Task<bool> TryAsync(Func<Task> change)
        {
            try
            {
                await change();
                return true;
            }
            catch (Exception error) when (error is HypervisorException or NetworkException or LinuxException)
            {
                failure ??= ExceptionDispatchInfo.Capture(error);
                return false;
            }
        }
    }

    private void Warn(string text)
    {
        _refusals.Add(text);
        if (_told.Add(text))
        {
            environment.Log.PlanWarning(text);
        }
    }
}
