namespace Kata.Integration.Tests.Containerd;

/// <summary>A state root of its own: the tests of the shim, which run at the same time, kill what they find in theirs.</summary>
public sealed class LogUriFixture : ContainerdFixture
{
    private protected override string Namespace { get; } = $"log{Environment.ProcessId}";
}
