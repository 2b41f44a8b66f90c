using System.Globalization;
using System.Text.Json.Nodes;

namespace Kata.Runtime.Tests;

/// <summary>The log as engines read it to learn why a command failed.</summary>
[Collection(nameof(ConsoleGroup))]
public sealed class ErrorLogTests
{
    private const string Text = "Cannot delete the container 'nobody': it does not exist. See 'kata-runtime list'";

    [Fact]
    public async Task Json_Failure_IsOneDocumentAsPodmanTakesIt()
    {
        // podman takes the whole file for one JSON document and shows its msg: a record before it would hide the text.
        JsonObject record = JsonNode.Parse(await LogOfAsync("--log-format json delete nobody"))!.AsObject();
        Assert.Equal("error", record["level"]!.GetValue<string>());
        Assert.Equal(Text, record["msg"]!.GetValue<string>());
    }

    [Fact]
    public async Task Json_LastErrorOfSeveral_IsTheOneContainerdShows()
    {
        // containerd and docker decode one document after another and keep the msg of the last of level error; time must be RFC 3339.
        string log = await LogOfAsync("--log-format json state other", "--log-format json --debug delete nobody");
        JsonObject[] records =
            [.. log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonNode.Parse(line)!.AsObject())];
        Assert.Equal(["error", "info", "error"], records.Select(static record => record["level"]!.GetValue<string>()));
        Assert.Equal(Text, records[^1]["msg"]!.GetValue<string>());
        Assert.All(records, static record => DateTimeOffset.ParseExact(
            record["time"]!.GetValue<string>(),
            "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'",
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal));
    }

    [Fact]
    public async Task Json_CommandLineWrong_IsToldToo() =>
        Assert.Contains(
            "Cannot use the option '--bundel'", await LogOfAsync("--log-format json create --bundel x c1"), StringComparison.Ordinal);

    [Fact]
    public async Task Text_HasEveryRecord()
    {
        string log = await LogOfAsync("delete nobody");
        Assert.Contains("level=info", log, StringComparison.Ordinal);
        Assert.Contains("level=error", log, StringComparison.Ordinal);
    }

    private static async Task<string> LogOfAsync(params string[] commands)
    {
        using var setup = new BrokenSetup();
        foreach (string command in commands)
        {
            Assert.Equal(1, (await setup.RunAsync("--log {dir}/log " + command)).Status);
        }

        return await File.ReadAllTextAsync(setup.File("log"), TestContext.Current.CancellationToken);
    }
}
