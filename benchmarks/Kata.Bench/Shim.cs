using System.Globalization;
using System.Text.Json;

namespace Kata.Bench;

/// <summary>
/// containerd's pods: run and exec by ctr against runc in turns; what a shim holds in memory beside 1, 4 and 20 pods; and the processor
/// time of a pod's start and of an exec on the host, QEMU's left out.
/// </summary>
internal static class Shim
{
    private const string Kata = "io.containerd.kata.v2";
    private const string Runc = "io.containerd.runc.v2";

    private static readonly int[] s_pods = [1, 4, 20];

    public static void Measure(Workspace workspace, int runs, SortedDictionary<string, double> results)
    {
        if (!Containerd.IsInstalled)
        {
            Console.Error.WriteLine("bench: containerd is not measured: /usr/bin/containerd or /usr/bin/ctr is missing");
            return;
        }

        using var containerd = new Containerd(workspace);
        Turns(workspace, containerd, runs, results);
        Pods(workspace, containerd, runs, results);
    }

    private static void Turns(Workspace workspace, Containerd containerd, int runs, SortedDictionary<string, double> results)
    {
        (string Name, string Runtime)[] runtimes = [("kata", Kata), ("runc", Runc)];
        Dictionary<string, List<double>> run = new() { ["kata"] = [], ["runc"] = [] }, exec = new() { ["kata"] = [], ["runc"] = [] };
        try
        {
            foreach ((string name, string runtime) in runtimes)
            {
                containerd.Start(runtime, name);
            }

            for (int i = -1; i < runs; i++) // the first round warms caches
            {
                foreach ((string name, string runtime) in runtimes)
                {
                    double took = containerd.Time("run", "--rm", "--runtime", runtime, Containerd.Image, workspace.NewId(), "true");
                    double executed = containerd.Time("tasks", "exec", "--exec-id", workspace.NewId(), name, "true");
                    if (i >= 0)
                    {
                        run[name].Add(took);
                        exec[name].Add(executed);
                    }
                }
            }
        }
        finally
        {
            containerd.Remove("kata");
            containerd.Remove("runc");
        }

        foreach ((string verb, Dictionary<string, List<double>> times) in new[] { ("run", run), ("exec", exec) })
        {
            results[$"ctr.{verb}.kata_s"] = Median.Of(times["kata"]);
            results[$"ctr.{verb}.runc_s"] = Median.Of(times["runc"]);
            results[$"ctr.{verb}.kata_per_runc"] = results[$"ctr.{verb}.kata_s"] / results[$"ctr.{verb}.runc_s"];
        }
    }

    private static void Pods(Workspace workspace, Containerd containerd, int runs, SortedDictionary<string, double> results)
    {
        var pods = new List<string>();
        double commands = ProcessStat.ChildTicks(containerd.Pid);
        try
        {
            foreach (int count in s_pods)
            {
                while (pods.Count < count)
                {
                    pods.Add(workspace.NewId());
                    containerd.Start(Kata, pods[^1]);
                }

                foreach (string kind in new[] { "Rss", "Pss", "Private_Dirty" })
                {
                    results[FormattableString.Invariant($"shim.of_{count:00}_pods.{kind.ToLowerInvariant()}_mb")] =
                        Median.Of([.. pods.Select(pod => Megabytes(ServicePid(containerd, pod), kind))]);
                }
            }

            // "start" has ended as containerd's child; the service and virtiofsd live.
            double started = (ProcessStat.ChildTicks(containerd.Pid) - commands) / pods.Count;
            results["shim.start.command_cpu_ms"] = ProcessStat.Milliseconds(started);
            results["shim.start.service_cpu_ms"] =
                ProcessStat.Milliseconds(pods.Average(pod => ProcessStat.Ticks(ServicePid(containerd, pod))));
            results["shim.start.virtiofsd_cpu_ms"] =
                ProcessStat.Milliseconds(pods.Average(pod => FileServers(workspace, containerd, pod).Sum(ProcessStat.Ticks)));
            results["shim.start.control_plane_cpu_ms"] = results["shim.start.command_cpu_ms"] + results["shim.start.service_cpu_ms"];

            int service = ServicePid(containerd, pods[0]);
            double before = ProcessStat.Ticks(service);
            int execs = runs * 10;
            for (int i = 0; i < execs; i++)
            {
                containerd.Time("tasks", "exec", "--exec-id", workspace.NewId(), pods[0], "true");
            }

            results["shim.exec.service_cpu_ms"] = ProcessStat.Milliseconds((ProcessStat.Ticks(service) - before) / execs);
        }
        finally
        {
            pods.ForEach(containerd.Remove);
        }
    }

    private static int ServicePid(Containerd containerd, string pod)
    {
        using JsonDocument state = JsonDocument.Parse(File.ReadAllText(Path.Combine(containerd.StateRoot, pod, "state.json")));
        return state.RootElement.GetProperty("service").GetProperty("pid").GetInt32();
    }

    private static IEnumerable<int> FileServers(Workspace workspace, Containerd containerd, string pod)
    {
        // The brackets keep the search from finding itself.
        string source = $"source=[/]run/kata/{Path.GetFileName(containerd.StateRoot)}/{pod}/";
        return workspace.Capture("/bin/sh", ["-c", $"grep -lsza '{source}' /proc/[0-9]*/cmdline || true"]).Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static path => int.Parse(path.Split('/')[2], CultureInfo.InvariantCulture));
    }

    private static double Megabytes(int pid, string kind) =>
        double.Parse(File.ReadLines($"/proc/{pid}/smaps_rollup").First(line => line.StartsWith(kind + ':', StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
}
