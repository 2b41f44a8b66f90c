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

    /// <summary>
    /// Whoever brings a card of the host into the namespace of a pod that runs has to be done with it, as it leaves it for the guest.
    /// </summary>
    private static readonly TimeSpan s_settled = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _gate = new(1, 1); // one change at a time
    private readonly CancellationTokenSource _ending = new();
    private readonly PodNames _names = new(plan, environment, guest); // under _gate
    private readonly PodLoopback _loopback = new(plan.Id, environment);
    private readonly List<PodInterface> _interfaces = []; // under _gate
    private readonly HashSet<EndpointPlan> _failed = []; // not tried again: a tap that comes and goes is a change, too; under _gate
    private readonly HashSet<string> _told = new(StringComparer.Ordinal); // warnings that were logged; under _gate
    private readonly List<string> _refusals = []; // why interfaces are not in the guest, as of the last look; under _gate
    private readonly PodHostCards _hostCards = new(plan, environment); // under _gate
    private NetworkNamespace? _space;
    private NetworkWatch? _watch;
    private NamespaceSettings? _settings; // under _gate
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
        if (plan is not { NetworkNamespace: { } path, DirectNetwork: null })
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
        HostNetwork network = HostNetwork.Read(space);
        _settings = NamespaceSettings.Begin(space, network);
        IReadOnlyList<EndpointPlan> wanted = Wanted(network);
        foreach (EndpointPlan endpoint in wanted)
        {
            _interfaces.Add(Make(endpoint, network, wanted, cold: true));
        }

        return [.. _interfaces.Select(static item => item.Host)];
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
        await FollowAsync(settings: false, cancellationToken);
        _loopback.Begin(_space, guest.Guest!.Agent);
        _following = FollowChangesAsync(_watch!, _ending.Token).LoggedAsync(environment.Log);
    }

    /// <summary>Has the guest have what the namespace has now. Does nothing when nothing has changed.</summary>
    /// <exception cref="AgentException">The guest cannot take something.</exception>
    /// <exception cref="HypervisorException">The machine cannot take or give a card.</exception>
    /// <exception cref="NetworkException">The host cannot connect an interface.</exception>
    /// <param name="settings">Its sysctls too, of which nobody tells that they have changed: see <see cref="NamespaceSettings"/>.</param>
    /// <param name="cancellationToken">Calls it off.</param>
    public async Task FollowAsync(bool settings, CancellationToken cancellationToken)
    {
        if (_space is not { } space)
        {
            return;
        }

        await _gate.WaitAsync(cancellationToken);
        try
        {
            await FollowInTurnAsync(space, settings, cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>The numbers of the links that the guest has cards of. Within <see cref="InTurnAsync"/>.</summary>
    public IReadOnlyCollection<int> Cards => [.. _interfaces.Select(static item => item.LinkIndex)];

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
            action, plan.DirectNetwork is { Path: var file }
                ? $"its pod has the network of the file '{file}', which is read at its start only. Create the pod anew"
                : "its pod has no network namespace of its own, and so no interfaces. Create it with one");
        // Ends early on: the caller, or the pod's end.
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ending.Token);
        await _gate.WaitAsync(both.Token);
        try
        {
            _failed.Clear(); // who asks by name has it tried again
            _hostCards.Retry();
            return await work(space, both.Token);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc cref="FollowAsync"/>
    /// <remarks>Within <see cref="InTurnAsync"/>.</remarks>
    public async Task FollowInTurnAsync(NetworkNamespace space, bool settings, CancellationToken cancellationToken)
    {
        HostNetwork network = ReadNetwork(space);
        IReadOnlyList<EndpointPlan> wanted = Wanted(network);
        ExceptionDispatchInfo? failure = await ChangeCardsAsync(space, wanted, cancellationToken);
        if (wanted.Any(static item => item.Device is not null)) // it may have left the namespace meanwhile, or come back
        {
            network = ReadNetwork(space);
            wanted = Wanted(network);
        }

        EndpointPlan[] cards = [.. wanted.Where(item => _interfaces.Any(other => other.Plan.IsSameCard(item)))];
        try
        {
            await Guest.SetAsync(await WithSettingsAsync(network, settings), cards, cancellationToken);
        }
        catch (AgentException error) when (error.IsUnanswered && _interfaces.Any(static item => item.Plan.Device is not null))
        {
            throw PodHostCards.Unanswered(plan.Id, error, _interfaces);
        }

        _names.Follow(space, _interfaces);
        failure?.Throw();
    }

    /// <summary>
    /// Takes a card of the host from the guest, when that is what is asked for: its interface is in the namespace again, off and without
    /// addresses. Within <see cref="InTurnAsync"/>.
    /// </summary>
    /// <returns>Whether it is one.</returns>
    /// <exception cref="HypervisorException">The guest does not let go of it.</exception>
    /// <exception cref="NetworkException">Its driver does not take it again.</exception>
    public async Task<bool> TryReturnAsync(NetworkNamespace space, InterfaceRequest request, CancellationToken cancellationToken)
    {
        if (_interfaces.FirstOrDefault(item => item.Gone is { } gone && request.Find(gone.Links) is not null) is not { } card)
        {
            return false;
        }

        Guest.Forget(card.Plan);
        await executor.UndoAsync([card.Host, card.Plug], cancellationToken);
        _interfaces.Remove(card);
        _hostCards.SwitchOff(space, card.Plan);
        await FollowInTurnAsync(space, settings: false, cancellationToken);
        return true;
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
        await _loopback.DisposeAsync();
        _watch?.Dispose();
        await (_settings?.EndAsync() ?? Task.CompletedTask);
    }

    /// <summary>Lets go of the namespace, when nothing in it is ours any more.</summary>
    public void Leave() => _space?.Dispose();

    private IGuestNetwork Guest => _guest ??= IGuestNetwork.Of(plan.Id, guest.Guest!.Agent, environment.Log.PlanWarning);

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
            await FollowAsync(settings: false, cancellationToken);
        }
        catch (Exception error) when (error is AgentException or HypervisorException or NetworkException or LinuxException)
        {
            environment.Log.PlanWarning($"The guest of '{plan.Id}' cannot follow a change of its network: {error.Message}");
        }
    }

    // With what the guest has of it and the namespace therefore does not.
    private HostNetwork ReadNetwork(NetworkNamespace space) =>
        HostNetwork.Read(space).With([.. _interfaces.Select(static item => item.Gone).OfType<HostNetwork>()]);

    private async Task<HostNetwork> WithSettingsAsync(HostNetwork network, bool again)
    {
        try
        {
            return await _settings!.AddToAsync(network, again);
        }
        catch (NetworkException error)
        {
            environment.Log.PlanWarning($"The guest of '{plan.Id}' has its kernel's own sysctls of the network: {error.Message}");
            return network;
        }
    }

    private IReadOnlyList<EndpointPlan> Wanted(HostNetwork network)
    {
        var carried = new List<string>();
        IReadOnlyDictionary<int, PciAddress> devices = _hostCards.Find(network, _interfaces, carried);
        IReadOnlyList<EndpointPlan> wanted = NetworkPlanner.Plan(
            network, out IReadOnlyList<string> refused, plan.Interfaces.Model, devices);
        _refusals.Clear();
        _refusals.AddRange(refused);
        foreach (string warning in refused.Concat(carried).Where(_told.Add))
        {
            environment.Log.PlanWarning(warning);
        }

        return wanted;
    }

    private PodInterface Make(EndpointPlan endpoint, HostNetwork network, IReadOnlyList<EndpointPlan> wanted, bool cold)
    {
        if (endpoint.Device is not null)
        {
            PciAddress[] all = [.. wanted.Select(static item => item.Device).OfType<PciAddress>()];
            return _hostCards.Make(_space!, network, endpoint, all, ++_cards, step => Plug(step, cold));
        }

        var card = new NetworkDevice(
            new DeviceId(string.Create(CultureInfo.InvariantCulture, $"net{++_cards}")),
            endpoint.Address.ToString(),
            plan.Interfaces.IsMultiQueue ? Math.Min(plan.Machine.VcpuCount, NetworkDevice.MaxQueues) : 1,
            plan.Machine.Accelerator == Accelerator.Kvm && VhostNet.IsThere);
        var tap = new TapStep(_space!, endpoint, plan.Interfaces, card);
        return new PodInterface(endpoint, tap, Plug(tap, cold));
    }

    private PlugStep Plug(DeviceStep host, bool cold) => new(host, machine, cold, () => _ending.IsCancellationRequested);

    // What fails with one card is no reason to leave out the others: the first failure comes back.
    private async Task<ExceptionDispatchInfo?> ChangeCardsAsync(
        NetworkNamespace space, IReadOnlyList<EndpointPlan> wanted, CancellationToken cancellationToken)
    {
        ExceptionDispatchInfo? failure = null;
        _failed.IntersectWith(wanted);
        foreach (PodInterface gone in _interfaces.Where(item => !wanted.Any(item.Plan.IsSameCard)).ToArray())
        {
            Guest.Forget(gone.Plan);
            await TryAsync(async () =>
            {
                await executor.UndoAsync([gone.Host, gone.Plug], cancellationToken);
                _interfaces.Remove(gone);
            });
        }

        foreach (EndpointPlan added in wanted.Where(
            item => !_failed.Contains(item) && _hostCards.MayTry(item.Device) && !_interfaces.Any(other => other.Plan.IsSameCard(item))))
        {
            bool isMade = await TryAsync(() => AddAsync(space, added, wanted, cancellationToken));
            if (!isMade)
            {
                _failed.Add(added);
                if (added.Device is { } device) // its interface comes back with another number
                {
                    _hostCards.GiveUp(device);
                }
            }
        }

        foreach (EndpointPlan endpoint in wanted)
        {
            if (_interfaces.FirstOrDefault(item => item.Plan.IsSameCard(endpoint)) is { } present && present.Plan.Mtu != endpoint.Mtu
                && present.TapIndex is { } tap)
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

    private async Task AddAsync(
        NetworkNamespace space, EndpointPlan added, IReadOnlyList<EndpointPlan> wanted, CancellationToken cancellationToken)
    {
        if (added.Device is not null)
        {
            await Task.Delay(s_settled, environment.Time, cancellationToken);
        }

        PodInterface made = Make(added, ReadNetwork(space), wanted, cold: false);
        if (machine.Machine.Capabilities.RefusalOf(made.Host.Device, running: true) is { } refusal)
        {
            Warn(NetworkPlanner.Refuse(added.Name, $"{refusal}. Have it in the pod's network namespace before the pod starts"));
            return;
        }

        await executor.RunAsync([made.Host, made.Plug], cancellationToken);
        _interfaces.Add(made);
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
