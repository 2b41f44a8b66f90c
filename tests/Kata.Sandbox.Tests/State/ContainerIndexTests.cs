using Kata.Oci;
using Kata.Testing;

namespace Kata.Sandbox.Tests;

public sealed class ContainerIndexTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly SandboxDirectories _directories;
    private readonly ContainerIndex _index;

    public ContainerIndexTests()
    {
        _directories = new SandboxDirectories(_directory.Path);
        _index = new ContainerIndex(_directories);
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void TryClaim_ThenFindAndRelease_RoundTrips()
    {
        var container = ContainerId.Parse("c1");
        Assert.Null(_index.Find(container));
        Assert.True(_index.TryClaim(container, SandboxId.Parse("pod")));
        Assert.Equal("pod", _index.Find(container)?.Value);
        _index.Release(container);
        Assert.Null(_index.Find(container));
        Assert.True(_index.TryClaim(container, SandboxId.Parse("other")));
    }

    [Fact]
    public async Task TryClaim_ManyAtOnce_ExactlyOneWins()
    {
        var container = ContainerId.Parse("contested");
        using var start = new Barrier(8);
        var winners = new System.Collections.Concurrent.ConcurrentBag<string>();
        Task[] claims = [.. Enumerable.Range(0, 8).Select(i => Task.Factory.StartNew(
            () =>
            {
                start.SignalAndWait(TimeSpan.FromSeconds(10));
                if (new ContainerIndex(_directories).TryClaim(container, SandboxId.Parse($"pod{i}")))
                {
                    winners.Add($"pod{i}");
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default))];
        await Task.WhenAll(claims).Within();
        Assert.Equal(Assert.Single(winners), _index.Find(container)?.Value);
        Assert.Single(Directory.GetFiles(_directories.Index)); // no temporary file is left
    }

    [Fact]
    public void All_NamesThatAreNoIdsAndContentsThatAreNoIds_AreIgnored()
    {
        _index.TryClaim(ContainerId.Parse("b"), SandboxId.Parse("pod"));
        _index.TryClaim(ContainerId.Parse("a"), SandboxId.Parse("pod"));
        File.WriteAllText(Path.Combine(_directories.Index, "@123.tmp"), "pod");
        File.WriteAllText(Path.Combine(_directories.Index, "spaced name"), "pod");
        File.WriteAllText(Path.Combine(_directories.Index, "c"), "../../etc");
        File.WriteAllText(Path.Combine(_directories.Index, "d"), "");
        Assert.Equal(["a", "b"], _index.All().Select(static item => item.Container.Value));
    }

    [Fact]
    public void All_NothingWasEverClaimed_IsEmpty()
    {
        Assert.Empty(_index.All());
        _index.Release(ContainerId.Parse("x"));
    }
}
