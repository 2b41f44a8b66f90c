using Kata.Linux;
using Kata.Network;

namespace Kata.Sandbox;

/// <summary>
/// A network card of the host that is a guest's. Released by giving it back to its driver, and bringing its interface back to the pod's
/// network namespace, or where that is gone to the host's.
/// </summary>
/// <param name="Value">As <see cref="HostCard"/> writes itself.</param>
internal sealed record HostCardAcquisition(string Value) : Acquisition(Name, Value)
{
    public const string Name = "HostCard";

    public override Task ReleaseAsync(CancellationToken cancellationToken) => HostCard.Parse(Value) is { } card
        ? card.ReturnAsync(new PciBus(), NetworkNamespace.OpenOwn, TimeProvider.System, cancellationToken)
        : Task.CompletedTask;
}
