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

    /// <summary>Of one of containerd's namespaces nothing is left after its last container; the root of the command line stays.</summary>
    [Theory]
    [InlineData("@k8s.io", false)]
    [InlineData("root", true)]
    public void Release_LastContainer_TakesTheNamespaceWithIt(string name, bool stays)
    {
        var directories = new SandboxDirectories(_directory.File(name));
        var index = new ContainerIndex(directories);
        Assert.True(index.TryClaim(ContainerId.Parse("c1"), SandboxId.Parse("c1")));
        Assert.True(index.TryClaim(ContainerId.Parse("c2"), SandboxId.Parse("c2")));
        index.Release(ContainerId.Parse("c1"));
        Assert.True(Directory.Exists(directories.Index));

        Directory.CreateDirectory(directories.Sandbox(SandboxId.Parse("c3")));
        index.Release(ContainerId.Parse("c2"));
        Assert.True(Directory.Exists(directories.Root)); // a pod is in it
        Directory.Delete(directories.Sandbox(SandboxId.Parse("c3")));
        index.Release(ContainerId.Parse("c2"));

        Assert.Equal(stays, Directory.Exists(directories.Root));
        Assert.True(index.TryClaim(ContainerId.Parse("c1"), SandboxId.Parse("c1")));
    }

    [Fact]
    public async Task TryClaim_NamespaceComesAndGoesMeanwhile_AlwaysSucceeds()
    {
        var directories = new SandboxDirectories(_directory.File("@ns"));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(() =>
        {
            var index = new ContainerIndex(directories);
            var id = ContainerId.Parse($"c{worker}");
            for (int i = 0; i < 300; i++)
            {
                Assert.True(index.TryClaim(id, SandboxId.Of(id)));
                index.Release(id);
            }
        })));
        Assert.False(Directory.Exists(directories.Root));
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
        Assert.Single(Directory.GetFileSystemEntries(_directories.Index)); // no temporary file is left
    }

    [Fact]
    public void All_NamesThatAreNoIdsAndContentsThatAreNoIds_AreIgnored()
    {
        _index.TryClaim(ContainerId.Parse("b"), SandboxId.Parse("pod"));
        _index.TryClaim(ContainerId.Parse("a"), SandboxId.Parse("pod"));
        File.WriteAllText(Path.Combine(_directories.Index, "@123.tmp"), "pod");
        File.WriteAllText(Path.Combine(_directories.Index, "spaced name"), "pod");
        File.CreateSymbolicLink(Path.Combine(_directories.Index, "c"), "../../etc");
        File.CreateSymbolicLink(Path.Combine(_directories.Index, "spaced link"), "pod");
        File.WriteAllText(Path.Combine(_directories.Index, "d"), "pod");
        Assert.Equal(["a", "b"], _index.All().Select(static item => item.Container.Value));
    }

    [Fact]
    public void Stamp_WhileClaimed_IsTheSame()
    {
        var container = ContainerId.Parse("c1");
        Assert.Null(_index.Stamp(container));
        _index.TryClaim(container, SandboxId.Parse("pod"));
        Assert.NotNull(_index.Stamp(container));
        Assert.Equal(_index.Stamp(container), _index.Stamp(container));
    }

    // Many file systems give the new link the old one's number.
    [Fact]
    public void Stamp_ClaimedAgain_IsAnother()
    {
        var container = ContainerId.Parse("c1");
        _index.TryClaim(container, SandboxId.Parse("pod"));
        ContainerClaim? first = _index.Stamp(container);
        _index.Release(container);

        // The kernel's clock for files ticks 100 times a second at least.
        DateTimeOffset later = first!.Value.MadeAt + TimeSpan.FromMilliseconds(20);
        Assert.True(SpinWait.SpinUntil(() => DateTimeOffset.UtcNow > later, TimeSpan.FromSeconds(10)));
        _index.TryClaim(container, SandboxId.Parse("pod"));
        Assert.NotEqual(first, _index.Stamp(container));
    }

    [Fact]
    public void All_NothingWasEverClaimed_IsEmpty()
    {
        Assert.Empty(_index.All());
        _index.Release(ContainerId.Parse("x"));
    }
}
