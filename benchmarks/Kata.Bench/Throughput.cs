using System.Diagnostics;

namespace Kata.Bench;

/// <summary>How fast a container's standard output is, against dd through one pipe of a bare guest to a bare virtio-serial port.</summary>
internal static class Throughput
{
    private const int Chunks = 1600;

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
                container.Add(ContainerMegaBytesPerSecond(workspace, id));
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

    // From the first byte to the last, as the bare channel is measured: how long an exec takes to start is another figure.
    private static double ContainerMegaBytesPerSecond(Workspace workspace, string id)
    {
        string[] command = workspace.Kata("exec", id, "dd", "if=/dev/zero", "bs=64k", $"count={Chunks}");
        string[] shell = ["-c", "exec \"$0\" \"$@\" 2> /dev/null", workspace.Runtime, .. command];
        using Process process = Process.Start(new ProcessStartInfo("/bin/sh", shell)
        {
            RedirectStandardOutput = true,
        })!;
        double rate = Rate(process.StandardOutput.BaseStream.Read);
        process.WaitForExit();
        return rate;
    }

    /// <summary>MB/s of a source that gives so many chunks of 64 KiB, from its first byte on.</summary>
    internal static double Rate(Func<byte[], int, int, int> read)
    {
        byte[] buffer = new byte[256 * 1024];
        long start = 0, total = 0;
        while (total < Chunks * 65536L)
        {
            int count = read(buffer, 0, buffer.Length);
            if (count == 0)
            {
                throw new InvalidOperationException($"The guest's output ended after {total} bytes");
            }

            start = total == 0 ? Stopwatch.GetTimestamp() : start;
            total += count;
        }

        return total / 1e6 / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
