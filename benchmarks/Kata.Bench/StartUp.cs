using System.Globalization;
using System.Text.RegularExpressions;

namespace Kata.Bench;

/// <summary>How long is a start: run of /bin/true against runc, and run until the agent is ready against a bare boot to PID 1.</summary>
internal static partial class StartUp
{
    public static void Measure(Workspace workspace, int runs, SortedDictionary<string, double> results)
    {
        using var bare = new BareGuest(workspace);
        List<double> kata = [], runc = [], ready = [], boot = [];
        workspace.SetProgram("/bin/true");
        for (int i = -1; i < runs; i++)
        {
            string id = workspace.NewId();
            DateTime started = DateTime.UtcNow;
            double whole = workspace.Time(workspace.Runtime, workspace.Kata("run", id));
            double untilReady = (ReadyAt(workspace.Log) - started).TotalSeconds;
            double runcWhole = workspace.Time("/usr/sbin/runc", workspace.Runc("run", id));
            double bareBoot = bare.TimeToFirstProcess();
            if (i < 0)
            {
                continue; // the first of each fills the page cache
            }

            kata.Add(whole);
            ready.Add(untilReady);
            runc.Add(runcWhole);
            boot.Add(bareBoot);
        }

        results["run.true.kata_s"] = Median.Of(kata);
        results["run.true.runc_s"] = Median.Of(runc);
        results["run.ready_s"] = Median.Of(ready);
        results["boot.bare_s"] = Median.Of(boot);
        results["run.ready_per_bare_boot"] = results["run.ready_s"] / results["boot.bare_s"];
        results["run.true.kata_per_runc"] = results["run.true.kata_s"] / results["run.true.runc_s"];
    }

    /// <summary>When the last pod of a log was up: its agent is ready, and has its network.</summary>
    internal static DateTime ReadyAt(string log)
    {
        string line = File.ReadLines(log).Last(static text => text.Contains("is up: VM started", StringComparison.Ordinal));
        return DateTime.Parse(TimeField().Match(line).Groups[1].Value, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal);
    }

    [GeneratedRegex("time=(\\S+)")]
    private static partial Regex TimeField();
}
