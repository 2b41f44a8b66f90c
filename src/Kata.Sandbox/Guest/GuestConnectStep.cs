namespace Kata.Sandbox;

/// <summary>The guest's agent, reached.</summary>
internal sealed class GuestConnectStep(SandboxPlan plan, MachineStep machine, SandboxEnvironment environment) : Step
{
    private GuestSandbox? _guest;

    public override string Name => "the guest's agent";

    public override IReadOnlyList<Step> Needs => [machine];

    /// <summary>Null as long as it is not reached.</summary>
    public GuestSandbox? Guest => _guest;

    public override async Task DoAsync(CancellationToken cancellationToken) =>
        _guest = machine.Machine.Agent is { } agent
            ? new GuestSandbox(plan, agent)
            : await GuestSandbox.ConnectAsync(plan, machine.Machine, environment, cancellationToken);

    public override async Task UndoAsync(CancellationToken cancellationToken) => await _guest!.DisposeAsync();
}
