using System.Text.Json.Nodes;

namespace Kata.Integration.Tests.Faults;

/// <summary>A guest that does what it can with the share: its pod is deletable, and costs the host no more than its disk.</summary>
[Collection(FaultsCollection.Name)]
public sealed class HostileGuestTests : FaultTests
{
    // As root of the guest itself, where the agent is: the guest's kernel runs it there for a crash in the container, by core(5).
    private const string Escape = """
        R=$1
        B=$R/bin/busybox
        {
          cd /run/kata-containers/shared/containers || exit 1
          $B ls -d 0
          for name in $(printf 'root-\377') deep; do $B mkdir "$name" 2> /dev/null && echo "made a directory in the share's root"; done
          (: > file) 2> /dev/null && echo "made a file in the share's root"
          $B ln -s / link 2> /dev/null && echo "made a link in the share's root"
          $B mv 0 moved 2> /dev/null && echo "moved a part"
          $B rmdir 0 2> /dev/null && echo "removed a part"
          $B mount -o remount,rw . 2> /dev/null
          $B dd if=/dev/zero of=fill bs=1M count=64 2> /dev/null && echo "filled the share's root"
          cd 0/tmp || exit 2
          name=$(printf '\377\376')
          $B mkdir "$name" && : > "$name/$(printf '\200')" || exit 3
          i=0
          while [ $i -lt 200 ]; do $B mkdir d && cd d || exit 4; i=$((i + 1)); done
          : > bottom
          echo done
        } > $R/told 2>&1
        """;

    private const string Crash = """
        echo '|/proc/%P/root/bin/busybox sh /proc/%P/root/escape /proc/%P/root' > /proc/sys/kernel/core_pattern || exit 1
        sh -c 'kill -SEGV $$'
        while :; do sleep 1000; done
        """;

    [Fact]
    public async Task Guest_TakenOver_PodIsDeletableAndItsIdIsFree()
    {
        string bundle = Host.Bundle(edit: static config => config["process"]!["args"] = new JsonArray("sh", "-c", Crash));
        await File.WriteAllTextAsync(Path.Combine(bundle, "rootfs/escape"), Escape, TestContext.Current.CancellationToken);
        string told = Path.Combine(bundle, "rootfs/told");
        await Host.SucceedAsync("run", "-d", "-b", bundle, "c1");

        await FaultHarness.UntilAsync(
            () => File.Exists(told) && File.ReadAllText(told).EndsWith("done\n", StringComparison.Ordinal), "the guest has done its worst");

        // It saw the share, and nothing worked there.
        Assert.Equal("0\ndone\n", await File.ReadAllTextAsync(told, TestContext.Current.CancellationToken));
        Assert.True(
            File.Exists(Path.Combine(bundle, "rootfs/tmp", string.Join('/', Enumerable.Repeat("d", 200)), "bottom")),
            "what it may write is where it belongs");
        Assert.InRange(
            new DirectoryInfo(Host.Root).EnumerateFiles("*", SearchOption.AllDirectories).Sum(static file => file.Length), 0, 4 << 20);
        Assert.Equal(
            ["console.log", "journal", "shared", "stand-in.sock", "state.json", "task.sock", "vm"], Names(Path.Combine(Host.Root, "c1")));
        Assert.Empty(Names(Path.Combine(Host.Root, "c1/shared"))); // the mounts are the service's alone
        await Host.SucceedAsync("kill", "c1", "KILL");
        await FaultHarness.UntilAsync(
            () => File.ReadAllText(Path.Combine(Host.Root, "c1/state.json")).Contains("\"stopped\"", StringComparison.OrdinalIgnoreCase),
            "'c1' has ended");

        await Host.SucceedAsync("delete", "c1");
        await Host.AssertNothingLeftAsync();
        await Host.SucceedAsync("run", "-d", "-b", Host.Bundle("second"), "c1"); // its id is free
        await Host.SucceedAsync("delete", "--force", "c1");
        await Host.AssertNothingLeftAsync();
    }

    /// <summary>However it came there: what lies in the pod's directory goes with it, by a service and without one.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Directory_WithNamesThatAreNoTextAndDepth_IsRemoved(bool serviceLives)
    {
        await Host.SucceedAsync("run", "-d", "-b", Host.Bundle(), "c1");
        FaultCommand plant = Host.StartRaw(
            "/bin/sh",
            "-c",
            "cd \"$0\" && : > \"$(printf '\\377')\" && mkdir \"$(printf '\\376')\" && cd \"$(printf '\\376')\" && "
            + "for i in $(seq 200); do mkdir d && cd d || exit 1; done",
            Path.Combine(Host.Root, "c1"));
        Assert.Equal(0, (await plant.FinishAsync()).Code);
        if (!serviceLives)
        {
            FaultHarness.Kill(Host.ServicePid("c1"));
        }

        await Host.SucceedAsync("delete", "--force", "c1");
        await Host.AssertNothingLeftAsync();
    }

    private static string[] Names(string directory) =>
        [.. Directory.EnumerateFileSystemEntries(directory).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
}
