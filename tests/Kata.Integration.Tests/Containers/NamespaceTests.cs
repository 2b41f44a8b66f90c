using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary>Namespaces of a container of the same pod, joined by path as engines name them.</summary>
[Collection(ContainersGroup.Name)]
public sealed class NamespaceTests : IClassFixture<PodFixture>
{
    private readonly PodFixture _pod;

    public NamespaceTests(PodFixture pod)
    {
        RuntimeFixture.Require();
        _pod = pod;
    }

    [Fact]
    public async Task Namespaces_ByPathOfTheStandIn_AreTheOtherContainers()
    {
        const string Script = "for n in pid ipc uts; do ls -l /proc/self/ns/$n | sed 's/.*-> //'; done";
        string pid = JsonNode.Parse((await _pod.RunAsync("state", _pod.PodId)).Ok().Text)!["pid"]!.ToString();
        string[] first = (await _pod.ExecShellAsync(_pod.PodId, Script)).Ok().Lines;

        string[] joined = (await _pod.RunShellAsync(Script, bundle => Join(bundle, pid, "pid", "ipc", "uts"))).Ok().Lines;
        string[] own = (await _pod.RunShellAsync(Script)).Ok().Lines;

        Assert.Equal(first, joined);
        Assert.Empty(own.Intersect(first));
    }

    [Fact]
    public async Task Namespaces_ByPathOfTheHost_AreRefusedWithTheField()
    {
        CommandResult result = await _pod.RunShellAsync("true", static bundle => Join(bundle, "1", "ipc"));

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("/linux/namespaces/2/path", result.Error, StringComparison.Ordinal);
        Assert.Contains("put both containers into one pod", result.Error, StringComparison.Ordinal);
    }

    private static void Join(TestBundle bundle, string pid, params string[] types)
    {
        bundle.Config.Remove("hostname");
        foreach (JsonNode? item in bundle.Linux["namespaces"]!.AsArray())
        {
            string type = item!["type"]!.ToString();
            if (types.Contains(type))
            {
                item["path"] = $"/proc/{pid}/ns/{type}";
            }
        }
    }
}
