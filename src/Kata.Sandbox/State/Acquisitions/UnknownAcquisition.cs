namespace Kata.Sandbox;

/// <summary>What a later version holds. Nobody here can release it, and it must not be passed over.</summary>
internal sealed record UnknownAcquisition(string Kind, string Value) : Acquisition(Kind, Value)
{
    public override Task ReleaseAsync(CancellationToken cancellationToken) =>
        throw new InvalidOperationException($"This version does not know how to release '{Kind}'");
}
