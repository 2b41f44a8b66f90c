namespace Kata.Integration.Tests.Harness;

/// <summary>Tests with real virtual machines: one after the other, as each machine keeps a processor busy while it boots.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ContainersGroup
{
    public const string Name = "Containers";
}
