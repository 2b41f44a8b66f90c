using Google.Protobuf.Collections;
using Kata.Agent.Containers;
using Kata.Agent.Processes;
using Kata.Agent.Protocol.Extension;
using Kata.Linux;

namespace Kata.Agent.Tests;

public sealed class TimeNamespaceTests
{
    [Fact]
    public void Text_IsALineForEachClock()
    {
        var offsets = new MapField<string, TimeOffset>
        {
            ["monotonic"] = new() { Seconds = -7 },
            ["boottime"] = new() { Seconds = 9_000_000, Nanoseconds = 5 },
        };
        Assert.Equal("monotonic -7 0\nboottime 9000000 5\n", TimeNamespace.Text(offsets));
        Assert.Equal("", TimeNamespace.Text([]));
    }

    [Fact]
    public void Options_WithOffsets_StartTheStepBetween()
    {
        var none = new Dictionary<int, SafeFileDescriptor>();
        SpawnOptions without = Crun.Options(["create", "c1"], "/log", none);
        SpawnOptions with = Crun.Options(["create", "c1"], "/log", none, "monotonic 1 0\n");
        Assert.Equal(Crun.Executable, without.Path);
        Assert.Equal("/proc/self/exe", with.Path);
        Assert.Equal([TimeNamespace.Argument, "monotonic 1 0\n", .. without.Arguments], with.Arguments);
    }
}
