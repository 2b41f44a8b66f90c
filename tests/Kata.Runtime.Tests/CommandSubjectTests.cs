using System.Text.Json.Nodes;

namespace Kata.Runtime.Tests;

/// <summary>The records of a command name the container and the pod that it is about.</summary>
[Collection(nameof(ConsoleGroup))]
public sealed class CommandSubjectTests
{
    [Theory]
    [InlineData("state web1", "web1", "web1")]
    [InlineData("state we", "web1", "web1")] // the beginning of it
    [InlineData("delete web1", "web1", "web1")]
    [InlineData("delete we", "we", null)] // with --force that means no other
    [InlineData("kill gone", "gone", null)]
    [InlineData("start web1 db", null, null)]
    [InlineData("list", null, null)]
    [InlineData("state d", "d", null)] // ambiguous
    public async Task Records_Table(string command, string? container, string? sandbox)
    {
        using var setup = new BrokenSetup();
        setup.Claim("web1", "db", "dc");
        await setup.RunAsync($"--debug --log {{dir}}/log --log-format json {command}");
        JsonNode record = JsonNode.Parse(File.ReadLines(setup.File("log")).First())!;
        Assert.Equal("Command started", (string?)record["msg"]);
        Assert.Equal((container, sandbox), ((string?)record["container"], (string?)record["sandbox"]));
    }

    [Fact]
    public async Task ErrorRecord_NamesTheContainer()
    {
        using var setup = new BrokenSetup();
        await setup.RunAsync("--log {dir}/log --log-format json state gone");
        Assert.Equal("gone", (string?)JsonNode.Parse(Assert.Single(File.ReadLines(setup.File("log"))))!["container"]);
    }
}
