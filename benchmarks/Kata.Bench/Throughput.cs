using System.Diagnostics;

namespace Kata.Bench;

/// <summary>How fast a container's standard output is, against dd through one pipe of a bare guest to a bare virtio-serial port.</summary>
internal static class Throughput
{
    private const int Chunks = 1600;
    private const double MegaBytes = Chunks * 65536 / 1e6;

    public static void Measure(Workspace workspace, int runs, SortedDictionary<string, double> results)
    {
        using var bare = new BareGuest(workspace);
        workspace.SetProgram("/bin/sleep", "100000");
        string id = workspace.NewId();
        workspace.StartDetached(workspace.Runtime, workspace.Kata("run", "--detach", id));
        List<double> container = [], channel = [];
        try
        {
            for (int i = 0; i < runs; i++)
            {
                string[] command = workspace.Kata("exec", id, "dd", "if=/dev/zero", "bs=64k", $"count={Chunks}");
                long start = Stopwatch.GetTimestamp();
                workspace.Time("/bin/sh", ["-c", "exec \"$0\" \"$@\" 2> /dev/null | cat > /dev/null", workspace.Runtime, .. command]);
                container.Add(MegaBytes / Stopwatch.GetElapsedTime(start).TotalSeconds);
                channel.Add(bare.ChannelMegaBytesPerSecond(Chunks));
            }
        }
        finally
        {
            workspace.Time(workspace.Runtime, workspace.Kata("delete", "--force", id));
        }

        results["stdout.container_mb_s"] = Median.Of(container);
        results["stdout.bare_channel_mb_s"] = Median.Of(channel);
        results["stdout.container_per_bare_channel"] = results["stdout.container_mb_s"] / results["stdout.bare_channel_mb_s"];
    }
}
