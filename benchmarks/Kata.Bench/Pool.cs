namespace Kata.Bench;

/// <summary>
/// How long is a start when a machine waits for it: by the command line against runc and gVisor's runsc, by podman, and by containerd
/// against runc. Before each one the pool is full again, and idle.
/// </summary>
internal static class Pool
{
    private const string Runsc = "/usr/bin/runsc";

    public static void Measure(Workspace workspace, int runs, SortedDictionary<string, double> results)
    {
        string configuration = Path.Combine(workspace.Folder, "pool.toml");
        File.WriteAllText(configuration, $"""
            [hypervisor.qemu]
            [factory]
            vm_cache_number = 1
            vm_cache_endpoint = "{workspace.Folder}/pool.sock"
            """);
        workspace.Configuration = configuration;
        workspace.Time(workspace.Runtime, workspace.Kata("factory", "init"));
        try
        {
            CommandLine(workspace, runs, results);
            Engine.Measure(workspace, runs, results, "pool.podman", () => WaitUntilFull(workspace));
            OfContainerd(workspace, configuration, runs, results);
        }
        finally
        {
            workspace.Capture(workspace.Runtime, workspace.Kata("factory", "destroy"));
            workspace.Configuration = null;
        }
    }

    private static void CommandLine(Workspace workspace, int runs, SortedDictionary<string, double> results)
    {
        List<double> kata = [], runc = [], runsc = [];
        workspace.SetProgram("/bin/true");
        for (int i = -1; i < runs; i++) // the first of each fills the page cache
        {
            WaitUntilFull(workspace);
            double ours = workspace.Time(workspace.Runtime, workspace.Kata("run", workspace.NewId()));
            WaitUntilFull(workspace);
            double plain = workspace.Time("/usr/sbin/runc", workspace.Runc("run", workspace.NewId()));
            double gvisor = File.Exists(Runsc)
                ? workspace.Time(Runsc,
                    [
                        "--root", $"{workspace.Folder}/runsc", "--platform=ptrace", "--network=none", "--ignore-cgroups", "run",
                        workspace.NewId(),
                    ])
                : double.NaN;
            if (i >= 0)
            {
                kata.Add(ours);
                runc.Add(plain);
                runsc.Add(gvisor);
            }
        }

        results["pool.run.true.kata_s"] = Median.Of(kata);
        results["pool.run.true.kata_per_runc"] = Median.Of(kata) / Median.Of(runc);
        if (File.Exists(Runsc))
        {
            results["pool.run.true.kata_per_runsc"] = Median.Of(kata) / Median.Of(runsc);
        }
    }

    private static void OfContainerd(
        Workspace workspace, string configuration, int runs, SortedDictionary<string, double> results)
    {
        if (!Containerd.IsInstalled)
        {
            return; // said where it is measured without a pool
        }

        using var containerd = new Containerd(workspace, $"pool{Environment.ProcessId}", configuration: configuration);
        Dictionary<string, List<double>> times = new() { ["kata"] = [], ["runc"] = [] };
        for (int i = -1; i < runs; i++)
        {
            foreach ((string name, List<double> list) in times)
            {
                WaitUntilFull(workspace);
                double took = containerd.Time(
                    "run", "--rm", "--runtime", $"io.containerd.{name}.v2", Containerd.Image, workspace.NewId(), "true");
                if (i >= 0)
                {
                    list.Add(took);
                }
            }
        }

        results["pool.ctr.run.kata_s"] = Median.Of(times["kata"]);
        results["pool.ctr.run.kata_per_runc"] = Median.Of(times["kata"]) / Median.Of(times["runc"]);
    }

    private static void WaitUntilFull(Workspace workspace)
    {
        while (!workspace.Capture(workspace.Runtime, workspace.Kata("factory", "status")).Output.Contains(
            "Waiting = 1 of 1", StringComparison.Ordinal))
        {
            Thread.Sleep(100); // nobody outside is told
        }

        Thread.Sleep(500); // what the host does after a boot is over
    }
}
