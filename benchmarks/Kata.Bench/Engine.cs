namespace Kata.Bench;

/// <summary>How long podman takes to run a container, and to execute in one, with this runtime, runc and gVisor's runsc.</summary>
internal static class Engine
{
    private const string Podman = "/usr/bin/podman";
    private const string Image = "bench:1";

    /// <param name="workspace">Where it lies.</param>
    /// <param name="runs">How many of each.</param>
    /// <param name="results">What is added to.</param>
    /// <param name="prefix">What the figures' names begin with.</param>
    /// <param name="beforeEach">Done before each command that makes a pod of ours.</param>
    public static void Measure(
        Workspace workspace, int runs, SortedDictionary<string, double> results, string prefix = "podman", Action? beforeEach = null)
    {
        if (!File.Exists(Podman))
        {
            Console.Error.WriteLine("bench: podman is not measured: /usr/bin/podman is missing");
            return;
        }

        Dictionary<string, string> runtimes = Runtimes(workspace);
        workspace.Time("/bin/sh", ["-c", $"tar -C rootfs -c . | {Podman} {string.Join(' ', Common(workspace))} import --quiet - {Image}"]);
        var times = new SortedDictionary<string, List<double>>(StringComparer.Ordinal);
        try
        {
            foreach ((string name, string runtime) in runtimes)
            {
                workspace.Time(
                    Podman, Arguments(workspace, runtime, ["run", "--detach", "--name", name, .. Quiet, Image, "sleep", "100000"]));
            }

            for (int i = -1; i < runs; i++) // the first round warms caches
            {
                foreach ((string name, string runtime) in runtimes)
                {
                    beforeEach?.Invoke();
                    string[] run = Arguments(workspace, runtime, ["run", "--rm", .. Quiet, Image, "true"]);
                    Add($"{prefix}.run.{name}_s", i, workspace.Time(Podman, run));
                    Add($"{prefix}.exec.{name}_s", i, workspace.Time(Podman, Arguments(workspace, runtime, ["exec", name, "true"])));
                }
            }
        }
        finally
        {
            foreach ((string name, string runtime) in runtimes)
            {
                workspace.Capture(Podman, Arguments(workspace, runtime, ["rm", "--force", "--time", "0", name]));
            }
        }

        foreach ((string name, List<double> values) in times)
        {
            results[name] = Median.Of(values);
        }

        foreach (string other in runtimes.Keys.Where(static name => name != "kata"))
        {
            foreach (string verb in new[] { "run", "exec" })
            {
                results[$"{prefix}.{verb}.kata_per_{other}"] = results[$"{prefix}.{verb}.kata_s"] / results[$"{prefix}.{verb}.{other}_s"];
            }
        }

        void Add(string name, int round, double value)
        {
            if (round >= 0)
            {
                (times.TryGetValue(name, out List<double>? list) ? list : times[name] = []).Add(value);
            }
        }
    }

    /// <summary>No network: kata-runtime has none yet. Small limits: podman's usual ones need a privilege not every root has.</summary>
    private static string[] Quiet => ["--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"];

    // podman forgets a runtime's own options when it cleans up: each runtime is a script.
    private static Dictionary<string, string> Runtimes(Workspace workspace)
    {
        var found = new Dictionary<string, string>
        {
            ["kata"] = Script(workspace, "kata", string.Join(' ', [workspace.Runtime, .. workspace.Kata()])),
            ["runc"] = Script(workspace, "runc", $"/usr/sbin/runc --root {workspace.Folder}/runc"),
        };
        const string Runsc = "/usr/bin/runsc";
        if (File.Exists(Runsc))
        {
            // ptrace is the platform that works without KVM.
            found["runsc"] = Script(
                workspace, "runsc", $"{Runsc} --root {workspace.Folder}/runsc --platform=ptrace --network=none --ignore-cgroups");
        }

        return found;
    }

    private static string Script(Workspace workspace, string name, string command)
    {
        string path = Path.Combine(workspace.Folder, $"runtime-{name}");
        File.WriteAllText(path, $"#!/bin/sh\nexec {command} \"$@\"\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    private static string[] Arguments(Workspace workspace, string runtime, string[] arguments) =>
        [.. Common(workspace), "--runtime", runtime, .. arguments];

    private static string[] Common(Workspace workspace) =>
    [
        "--root", $"{workspace.Folder}/podman", "--runroot", $"{workspace.Folder}/podman-run", "--tmpdir", $"{workspace.Folder}/podman-tmp",
        "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file",
    ];
}
