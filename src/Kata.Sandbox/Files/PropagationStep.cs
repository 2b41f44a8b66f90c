using System.Diagnostics.CodeAnalysis;

namespace Kata.Sandbox;

/// <summary>What follows the host's mounts below volumes.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A step is undone, not disposed of")]
internal sealed class PropagationStep(GuestConnectStep connect, SandboxPlan plan, SandboxEnvironment environment) : Step
{
    private MountPropagation? _propagation;

    public override string Name => "the propagation of mounts";

    public override IReadOnlyList<Step> Needs => [connect];

    public MountPropagation Propagation => _propagation ?? throw new InvalidOperationException("The pod is not up");

    public override Task DoAsync(CancellationToken cancellationToken)
    {
        _propagation = new MountPropagation(
            connect.Guest!.Agent, environment.Directories.Volumes(plan.Id), environment.CallerMountNamespace, environment.Log);
        return Task.CompletedTask;
    }

    public override async Task UndoAsync(CancellationToken cancellationToken) => await Propagation.DisposeAsync();
}
