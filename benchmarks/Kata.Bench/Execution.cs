using System.Globalization;

namespace Kata.Bench;

/// <summary>How long is an exec of /bin/true in a running container, against runc; and what the pod's service holds in memory.</summary>
internal static class Execution
{
    public static void Measure(Workspace workspace, int runs, SortedDictionary<string, double> results)
    {
        workspace.SetProgram("/bin/sleep", "100000");
        string id = workspace.NewId();
        workspace.StartDetached(workspace.Runtime, workspace.Kata("run", "--detach", id));
        workspace.StartDetached("/usr/sbin/runc", workspace.Runc("run", "--detach", id));
        try
        {
            Memory(workspace, id, "service.idle", results);
            List<double> kata = [], runc = [];
            for (int i = -1; i < runs * 2; i++)
            {
                double ours = workspace.Time(workspace.Runtime, workspace.Kata("exec", id, "/bin/true"));
                double theirs = workspace.Time("/usr/sbin/runc", workspace.Runc("exec", id, "/bin/true"));
                if (i >= 0)
                {
                    kata.Add(ours);
                    runc.Add(theirs);
                }
            }

            results["exec.true.kata_s"] = Median.Of(kata);
            results["exec.true.runc_s"] = Median.Of(runc);
            results["exec.true.kata_per_runc"] = results["exec.true.kata_s"] / results["exec.true.runc_s"];
            Memory(workspace, id, "service.after_execs", results);
        }
        finally
        {
            workspace.Time(workspace.Runtime, workspace.Kata("delete", "--force", id));
            workspace.Time("/usr/sbin/runc", workspace.Runc("delete", "--force", id));
        }
    }

    private static void Memory(Workspace workspace, string id, string name, SortedDictionary<string, double> results)
    {
        foreach (string line in File.ReadLines($"/proc/{workspace.ServicePid(id)}/smaps_rollup"))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words[0] is "Rss:" or "Pss:" or "Private_Dirty:")
            {
                results[$"{name}.{words[0].TrimEnd(':').ToLowerInvariant()}_mb"] =
                    double.Parse(words[1], CultureInfo.InvariantCulture) / 1024;
            }
        }
    }
}
