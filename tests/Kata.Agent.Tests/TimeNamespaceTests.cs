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

    [Theory]
    [InlineData(
        """{"pid": 7, "process-start-time": 900000137, "cgroup-path": "x"}""",
        """{"pid": 7, "process-start-time": 4711, "cgroup-path": "x"}""")]
    [InlineData("""{"process-start-time":9}""", """{"process-start-time": 4711}""")]
    [InlineData("""{"pid": 7}""", """{"pid": 7}""")]
    public void PutRight_NoteOfCrun_HasTheStartTimeSeenOutside(string status, string expected) =>
        Assert.Equal(
            expected,
            TimeNamespace.PutRight(status, "7 (a) b) S 1 7 7 0 -1 4194560 9 0 0 0 0 0 0 0 20 0 1 0 4711 2101248 1 0 0 0\n"));
}
