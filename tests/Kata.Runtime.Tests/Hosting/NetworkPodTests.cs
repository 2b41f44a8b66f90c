using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Sandbox;
using Kata.Testing;

namespace Kata.Runtime.Tests;

/// <summary>The pod of a network namespace, among many and broken ones.</summary>
public sealed class NetworkPodTests : IDisposable
{
    private static readonly ProcessIdentity s_alive = ProcessIdentity.Of(Environment.ProcessId)!;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Find_AmongAHundredAndBrokenOnes_IsTheLivingOne()
    {
        for (ulong number = 1; number <= 100; number++)
        {
            Write(number % 2 == 0 ? "" : "@k8s.io", $"p{number}", new NamespaceState(4, number), s_alive);
        }

        Write("", "none", null, s_alive); // of no network, or of an older version
        Write("", "dead", new NamespaceState(4, 500), s_alive with { StartTime = 1 });
        Write("", "later", new NamespaceState(5, 500), s_alive); // a number of another file system
        Directory.CreateDirectory(_directory.File("empty"));
        Directory.CreateDirectory(_directory.File("odd/state.json"));
        foreach ((string name, string text) in new[] { ("a-torn", "{\"version\":1"), ("a-null", "null"), ("a-later", "{\"version\":99}") })
        {
            Directory.CreateDirectory(_directory.File(name));
            File.WriteAllText(_directory.File(name + "/state.json"), text);
        }

        File.WriteAllText(_directory.File("@file"), "");
        Directory.CreateDirectory(_directory.File("@containers"));
        File.CreateSymbolicLink(_directory.File("@containers/p2"), "p2");

        Assert.Equal((_directory.Path, "p98"), Find(98));
        Assert.Equal((_directory.File("@k8s.io"), "p7"), Find(7));
        Assert.Null(Find(500));
        Assert.Null(Find(0));
    }

    [Fact]
    public void Find_NoRoot_IsNone() => Assert.Null(NetworkPod.Find(_directory.File("none"), new NamespaceState(4, 1)));

    private (string Root, string Pod)? Find(ulong number) =>
        NetworkPod.Find(_directory.Path, new NamespaceState(4, number)) is { } found ? (found.Directories.Root, found.Id.Value) : null;

    private void Write(string space, string id, NamespaceState? network, ProcessIdentity service)
    {
        var directories = new SandboxDirectories(Path.Combine(_directory.Path, space));
        Directory.CreateDirectory(directories.Sandbox(SandboxId.Parse(id)));
        SandboxStateStore.Write(directories.StateFile(SandboxId.Parse(id)), new SandboxState
        {
            Version = SandboxState.CurrentVersion,
            Id = id,
            Runtime = "0",
            Service = service,
            Network = network,
        });
    }
}
