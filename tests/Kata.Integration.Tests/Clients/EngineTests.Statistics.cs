using System.Globalization;
using System.Text.RegularExpressions;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Clients;

public abstract partial class EngineTests
{
    /// <summary>A guest alone, with its kernel and agent, is more than any process of the host that only stands for it.</summary>
    private const double LeastMegabytes = 40;

    [Fact]
    public async Task Stats_AreThePods()
    {
        string name = await _engine.StartContainerAsync(
            ["--memory", "64m", "--cpus", "0.5", "--cpuset-cpus", "0"], "sh", "-c", "while true; do true; done");

        CommandResult stats = (await _engine.EngineAsync("stats", "--no-stream", "--format", "{{.CPUPerc}} {{.MemUsage}}", name)).Ok();
        Match match = Figures().Match(stats.Text);
        Assert.True(match.Success, stats.ToString());
        // No upper bound: podman spreads the machine's boot over the time since the start.
        Assert.True(Number(match, "cpu") > 5, stats.Text);
        // The limit beside it is the engine's choice: podman shows what was asked for.
        Assert.True(Number(match, "usage") > LeastMegabytes, stats.Text);

        (await _engine.RemoveAsync(name)).Ok();
    }

    [GeneratedRegex(@"^(?<cpu>[\d.]+)% (?<usage>[\d.]+)Mi?B / [\d.]+[MG]i?B$")]
    private static partial Regex Figures();

    private static double Number(Match match, string group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
}
