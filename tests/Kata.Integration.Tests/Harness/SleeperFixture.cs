namespace Kata.Integration.Tests.Harness;

/// <summary>One running container for all tests of a class.</summary>
public sealed class SleeperFixture : RuntimeFixture
{
    /// <summary>The container; its program sleeps.</summary>
    internal string Id { get; private set; } = "";

    private protected override async Task PrepareAsync() => Id = await StartSleeperAsync();
}
