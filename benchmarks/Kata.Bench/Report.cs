using System.Globalization;
using System.Text.Json;

namespace Kata.Bench;

/// <summary>The figures, with the targets they have.</summary>
internal static class Report
{
    private static readonly (string Name, double Limit, bool AtMost)[] s_targets =
    [
        ("run.ready_per_bare_boot", 1.25, true),
        ("exec.true.kata_s", 0.35, true),
        ("service.after_execs.private_dirty_mb", 6, true),
        ("ctr.exec.kata_s", 0.30, true),
        ("shim.of_20_pods.private_dirty_mb", 5, true),
        ("shim.of_20_pods.pss_mb", 4, true),
        ("shim.start.control_plane_cpu_ms", 60, true),
        ("stdout.container_per_bare_channel", 0.4, false),
        ("pool.ctr.run.kata_per_runc", 2.5, true),
        ("pool.run.true.kata_per_runsc", 1, true),
        ("pool.podman.run.kata_per_runsc", 1, true),
        ("pool.podman.exec.kata_per_runsc", 1, true),
        ("network.tcp_receive_1.kata_per_bare", 0.95, false),
        ("network.tcp_receive_4.kata_per_bare", 0.95, false),
        ("network.tcp_send_1.kata_per_bare", 0.95, false),
        ("network.tcp_send_4.kata_per_bare", 0.95, false),
        ("network.ping.kata_per_bare", 1.05, true),
        ("network.attach.service_cpu_ms", 5, true),
        ("network.attach.processes", 0, true),
        ("network.ready.one_card_per_none", 1.05, true),
    ];

    public static JsonSerializerOptions Json { get; } = new() { WriteIndented = true };

    public static void Print(SortedDictionary<string, double> results)
    {
        foreach ((string name, double value) in results)
        {
            int target = Array.FindIndex(s_targets, target => target.Name == name);
            string verdict = target < 0 ? "" : Verdict(value, s_targets[target].Limit, s_targets[target].AtMost);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-45} {value,10:0.000}  {verdict}"));
        }
    }

    private static string Verdict(double value, double limit, bool atMost)
    {
        bool met = atMost ? value <= limit : value >= limit;
        return $"target {(atMost ? "<=" : ">=")} {limit.ToString(CultureInfo.InvariantCulture)}: {(met ? "met" : "MISSED")}";
    }
}
