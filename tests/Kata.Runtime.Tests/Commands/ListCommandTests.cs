using System.Text.Json.Nodes;

namespace Kata.Runtime.Tests;

[Collection(nameof(ConsoleGroup))]
public sealed class ListCommandTests
{
    [Fact]
    public async Task List_OneStateDamaged_ListsItAsUnknownAmongTheOthers()
    {
        using var setup = new BrokenSetup();
        setup.Claim("bad", "good");
        Directory.CreateDirectory(setup.File("root/bad"));
        setup.Write("root/bad/state.json", "{ \"half\":");
        CommandRun run = await setup.RunAsync("list --format json");
        Assert.Equal(0, run.Status);
        JsonArray items = JsonNode.Parse(run.Output)!.AsArray();
        Assert.Equal(["bad unknown", "good stopped"], items.Select(static item => $"{item!["id"]} {item["status"]}"));
        Assert.Contains("Remove the pod with 'kata-runtime delete --force'", items[0]!["reason"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.StartsWith("kata-runtime: warning: Cannot read the pod state '{dir}/root/bad/state.json'", run.Error, StringComparison.Ordinal);
        Assert.Equal("bad\ngood\n", (await setup.RunAsync("list --quiet")).Output);
        Assert.Contains("bad         0           unknown", (await setup.RunAsync("list")).Output, StringComparison.Ordinal);
    }
}
