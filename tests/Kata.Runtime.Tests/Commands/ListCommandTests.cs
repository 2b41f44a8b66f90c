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
        Assert.Contains(
            "Remove the pod with 'kata-runtime delete --force'", items[0]!["reason"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.StartsWith(
            "kata-runtime: warning: Cannot read the pod state '{dir}/root/bad/state.json'", run.Error, StringComparison.Ordinal);
        Assert.Equal("bad\ngood\n", (await setup.RunAsync("list --quiet")).Output);
        Assert.Contains("bad         -           unknown", (await setup.RunAsync("list")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_BeingCreated_HasNoPidNoBundleAndTheTimeOfItsBeginning()
    {
        using var setup = new BrokenSetup();
        setup.Claim("c1");
        string[] words = (await setup.RunAsync("list")).Output.Split('\n')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["c1", "-", "stopped", "-", "root"], [.. words[..4], words[5]]);
        DateTimeOffset created = DateTimeOffset.Parse(words[4], System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(TimeProvider.System.GetUtcNow() - created, TimeSpan.FromSeconds(-1), TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task List_KataAll_ComparesTheMachinesWithTheConfiguration()
    {
        using var setup = new BrokenSetup();
        setup.Claim("old", "new", "booting");
        setup.WriteState("old", hypervisor: "{dir}/file", kernel: "/old/vmlinuz", image: "/old/initrd");
        setup.WriteState("new", hypervisor: "{dir}/file", kernel: "{dir}/file", image: "{dir}/file");

        JsonArray items = JsonNode.Parse((await setup.RunAsync("list --kata-all --format json")).Output)!.AsArray();
        Assert.Equal(["booting", "new", "old"], items.Select(static item => (string?)item!["id"]));
        Assert.Null(items[0]!["currentHypervisor"]);
        Assert.Empty(items[1]!["StaleAssets"]!.AsArray());
        Assert.Equal(["kernel", "image"], items[2]!["StaleAssets"]!.AsArray().Select(static item => (string?)item));
        Assert.Equal(
            """{"hypervisorAsset":{"path":"{dir}/file","bool":false},"imageAsset":{"path":"/old/initrd","bool":false},"kernelAsset":"""
            + """{"path":"/old/vmlinuz","bool":false}}""",
            items[2]!["currentHypervisor"]!.ToJsonString());
        Assert.Equal("{dir}/file", (string?)items[2]!["latestHypervisor"]!["kernelAsset"]!["path"]);

        string[] table = (await setup.RunAsync("list --kata-all")).Output.Split('\n');
        Assert.EndsWith("STALE", table[0], StringComparison.Ordinal);
        Assert.EndsWith(" kernel,image", table[3], StringComparison.Ordinal);
        Assert.DoesNotContain("Hypervisor", (await setup.RunAsync("list --format json")).Output, StringComparison.Ordinal);
    }
}
