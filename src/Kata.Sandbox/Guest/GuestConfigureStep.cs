namespace Kata.Sandbox;

/// <summary>What the guest is told of the pod. Nothing undoes it but the guest's end.</summary>
internal sealed class GuestConfigureStep(GuestConnectStep connect) : Step
{
    public override string Name => "the guest's configuration";

    public override IReadOnlyList<Step> Needs => [connect];

    public override Task DoAsync(CancellationToken cancellationToken) => connect.Guest!.ConfigureAsync(cancellationToken);

    public override Task UndoAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
