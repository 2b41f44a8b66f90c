namespace Kata.Integration.Tests.Faults;

/// <summary>Tests that kill real machines: one after the other, as each keeps a processor busy while it boots.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class FaultsCollection
{
    public const string Name = "Faults";
}
