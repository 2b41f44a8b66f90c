using Kata.Hypervisor;

namespace Kata.Sandbox;

/// <summary>A machine that runs, its agent reached, and that has no pod yet. Disposing ends it, unless it was taken.</summary>
internal sealed class WarmMachine : IAsyncDisposable
{
    private readonly Machine _machine;
    private readonly GuestSandbox _guest;
    private bool _taken;

    private WarmMachine(string key, Machine machine, GuestSandbox guest) => (Key, _machine, _guest) = (key, machine, guest);

    /// <summary>What it is made of.</summary>
    public string Key { get; }

    /// <summary>What it can be asked for.</summary>
    public MachineCapabilities Capabilities => _machine.Capabilities;

    /// <summary>The VMM's process.</summary>
    public int ProcessId => _machine.ProcessId;

    /// <summary>Boots it, and waits by event for its agent.</summary>
    /// <param name="plan">A pod without a container.</param>
    /// <param name="key">See <see cref="MachineKey"/>.</param>
    /// <param name="environment">Where it lies.</param>
    /// <param name="cancellationToken">Calls it off; nothing is left then.</param>
    /// <exception cref="HypervisorException">The machine did not come to be; the reason names the component.</exception>
    /// <exception cref="AgentException">The guest came up, its agent did not.</exception>
    public static async Task<WarmMachine> BootAsync(
        SandboxPlan plan, string key, SandboxEnvironment environment, CancellationToken cancellationToken)
    {
        Machine machine = await new ColdMachineSource(environment).TakeAsync(plan, [], cancellationToken);
        try
        {
            return new WarmMachine(key, machine, await GuestSandbox.ConnectAsync(plan, machine, environment, cancellationToken));
        }
        catch
        {
            await machine.DisposeAsync();
            throw;
        }
    }

    /// <summary>Completes when something of it has ended that nobody asked to, or the agent's channel has. Never faults.</summary>
    public Task Ended => Task.WhenAny(_machine.Ended, _guest.Lost);

    /// <summary>Whether the agent answers now. One that does not is no pod's to wait for.</summary>
    public async Task<bool> AnswersAsync(CancellationToken cancellationToken) =>
        !Ended.IsCompleted && await _guest.Agent.AnswersAsync(cancellationToken);

    /// <summary>Gives the machine away, with its agent. The caller owns both.</summary>
    public Machine Take()
    {
        _taken = true;
        _machine.Agent = _guest.Agent;
        return _machine;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_taken)
        {
            _taken = true;
            await _guest.DisposeAsync();
            await _machine.DisposeAsync();
        }
    }
}
