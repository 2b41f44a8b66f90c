namespace Kata.Sandbox;

/// <summary>
/// The pod's machine, wherever it comes from. What it starts with is no need of it in the sense of a step: that may go while it runs.
/// </summary>
/// <param name="source">Where it comes from.</param>
/// <param name="plan">The pod.</param>
/// <param name="devices">What the pod itself has for the machine, made by the time that this is done.</param>
internal sealed class MachineStep(IMachineSource source, SandboxPlan plan, Func<IReadOnlyList<DeviceStep>> devices) : Step
{
    private Machine? _machine;

    public override string Name => "the machine";

    public Machine Machine => _machine ?? throw new InvalidOperationException("The pod is not up");

    public override async Task DoAsync(CancellationToken cancellationToken) =>
        _machine = await source.TakeAsync(plan, devices(), cancellationToken);

    public override async Task UndoAsync(CancellationToken cancellationToken) => await Machine.DisposeAsync();
}
