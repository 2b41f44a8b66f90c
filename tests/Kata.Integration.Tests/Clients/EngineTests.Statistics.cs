using System.Globalization;
using System.Text.RegularExpressions;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Clients;

public abstract partial class EngineTests
{
    /// <summary>A guest alone, with its kernel and agent, is more than any process of the host that only stands for it.</summary>
    private const double LeastMegabytes = 40;

    [Fact]
    public async Task Stats_AreThePodsAndSoAreItsLimits()
    {
        string name = await _engine.StartContainerAsync(["--memory", "64m", "--cpus", "0.5", "--cpuset-cpus", "0"], "sh", "-c", "while true; do true; done");

        CommandResult stats = (await _engine.EngineAsync("stats", "--no-stream", "--format", "{{.CPUPerc}} {{.MemUsage}}", name)).Ok();
        Match match = Figures().Match(stats.Text);
        Assert.True(match.Success, stats.ToString());
        Assert.True(Number(match, "cpu") > 5, stats.Text); // no upper bound: podman spreads the machine's boot over the time since the start
        double usage = Number(match, "usage");
        Assert.InRange(usage, LeastMegabytes, Megabytes(Number(match, "limit"), match.Groups["unit"].Value));

        (await _engine.RemoveAsync(name)).Ok();
    }

    [GeneratedRegex(@"^(?<cpu>[\d.]+)% (?<usage>[\d.]+)Mi?B / (?<limit>[\d.]+)(?<unit>[MG])i?B$")]
    private static partial Regex Figures();

    private static double Number(Match match, string group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    private static double Megabytes(double value, string unit) => unit == "G" ? value * 1024 : value;
}
