using System.Text.Json;
using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary><c>ps</c>, <c>update</c>, <c>events</c>: what a container consists of, may use, and uses.</summary>
[Collection(ContainersGroup.Name)]
public sealed class ResourceTests : IClassFixture<PodFixture>
{
    private const long Mib = 1 << 20;

    private readonly PodFixture _pod;

    public ResourceTests(PodFixture pod)
    {
        RuntimeFixture.Require();
        _pod = pod;
    }

    [Fact]
    public async Task Ps_RunningContainer_ShowsItsProcessesAsItNumbersThem()
    {
        string id = await StartAsync("sleep 1234 & sleep 4321; true");
        (await _pod.ExecShellAsync(id, "until [ $(ps -o args | grep -c '^sleep') = 2 ]; do sleep 0.05; done")).Ok();

        int standIn = JsonNode.Parse((await _pod.RunAsync("state", id)).Ok().Text)!["pid"]!.GetValue<int>();
        Assert.Equal($"[{standIn}]", (await _pod.RunAsync("ps", "--format", "json", id)).Ok().Text);
        string[] table = (await _pod.RunAsync("ps", id)).Ok().Lines;
        Assert.Equal("UID          PID    PPID  C STIME TTY          TIME CMD", table[0]);
        Assert.StartsWith("root           1       0 ", table[1], StringComparison.Ordinal);
        Assert.StartsWith("root           2       1 ", table[2], StringComparison.Ordinal);
        Assert.EndsWith(" sh -c sleep 1234 & sleep 4321; true", table[1], StringComparison.Ordinal);
        Assert.Equal(
            ["1 S", "2 S", "3 S"], (await _pod.RunAsync("ps", id, "-o", "pid=", "-o", "s=")).Ok().Lines.Select(static line => line.Trim()));
        Assert.Equal(2, (await _pod.RunAsync("ps", id, "aux")).Ok().Lines.Count(static line =>
            line.Contains("sleep ", StringComparison.Ordinal) && !line.Contains("sh -c", StringComparison.Ordinal)));
        CommandResult unknown = await _pod.RunAsync("ps", id, "-Z");
        Assert.Equal(1, unknown.ExitCode);
        Assert.Contains("Of ps(1) a container's list knows -e", unknown.Error, StringComparison.Ordinal);
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task Update_Limits_AreTheGuestsCgroups()
    {
        string id = await StartAsync("sleep 1000");

        (await _pod.RunAsync(
            "update", "--memory", "64m", "--memory-swap", "96m", "--memory-reservation", "32m", "--pids-limit", "7", "--cpu-quota", "50000",
            "--cpu-burst", "10000", "--cpuset-cpus", "0", id)).Ok();
        Assert.Equal(
            [$"{64 * Mib}", $"{32 * Mib}", $"{32 * Mib}", "7", "50000 100000", "10000"],
            await ReadAsync(id, "memory.max", "memory.swap.max", "memory.low", "pids.max", "cpu.max", "cpu.max.burst"));

        (await _pod.RunAsync("update", "--cpu-period", "200000", "--cpu-share", "512", "--cpu-burst", "0", id)).Ok();
        Assert.Equal(["50000 200000", "20", $"{64 * Mib}"], await ReadAsync(id, "cpu.max", "cpu.weight", "memory.max"));

        byte[] document = RuntimeFixture.Bytes(
            """{ "memory": { "limit": 83886080 }, "cpu": { "idle": 1 }, "unified": { "memory.high": "73400320" } }""");
        (await _pod.RunAsync(["update", "--resources", "-", id], document, RuntimeFixture.Limit)).Ok();
        Assert.Equal(
            [$"{80 * Mib}", $"{16 * Mib}", "1", $"{70 * Mib}"],
            await ReadAsync(id, "memory.max", "memory.swap.max", "cpu.idle", "memory.high"));

        (await _pod.RunAsync("update", "--memory=-1", "--pids-limit=-1", "--cpu-quota=-1", id)).Ok();
        Assert.Equal(["max", "max", "max 200000"], await ReadAsync(id, "memory.max", "pids.max", "cpu.max"));
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    [Theory]
    [InlineData("no.such", "1", "the guest's kernel has none of that name")]
    [InlineData("pids.max", "banana", "the guest's kernel refused")]
    public async Task Update_LaterPartIsRefused_LeavesEverythingAsItWas(string file, string value, string expected)
    {
        string id = await StartAsync("sleep 1000");
        string[] files = ["memory.max", "memory.high", "memory.swap.max", "pids.max", "cpu.max", "cpu.max.burst", "cpu.idle", "cpu.weight"];
        (await _pod.RunAsync(
            "update", "--memory", "64m", "--pids-limit", "7", "--cpu-quota", "50000", "--cpu-burst", "40000", "--cpu-share", "512", id))
            .Ok();
        string[] before = await ReadAsync(id, files);

        byte[] document = RuntimeFixture.Bytes(
            $$$"""
            { "memory": { "limit": 33554432 }, "pids": { "limit": 3 }, "cpu": { "quota": 45000, "burst": 10000, "cpus": "0", "idle": 1 },
              "unified": { "memory.high": "20971520", "{{{file}}}": "{{{value}}}" } }
            """);
        CommandResult result = await _pod.RunAsync(["update", "--resources", "-", id], document, RuntimeFixture.Limit);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
        Assert.Equal(before, await ReadAsync(id, files));

        (await _pod.RunAsync("update", "--memory", "80m", id)).Ok(); // from what was there, not from what was refused
        Assert.Equal([$"{80 * Mib}", "50000 100000"], await ReadAsync(id, "memory.max", "cpu.max"));
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    [Theory]
    [InlineData("--memory", "4g", "the virtual machine has 268435456")]
    [InlineData("--cpu-quota", "9000000", "the time of 90 processors and the virtual machine has 1")]
    [InlineData("--cpuset-cpus", "4000", "Cannot limit the pod to '4000'")]
    [InlineData("--cpu-rt-runtime", "1000", "has none")]
    [InlineData("--l3-cache-schema", "L3:0=f", "Intel RDT is not enabled")]
    [InlineData("--memory", "banana", "it is malformed")]
    public async Task Update_WhatTheMachineCannotGive_IsRefusedAndNothingChanges(string option, string value, string expected)
    {
        string[] before = await ReadAsync(_pod.PodId, "memory.max", "cpu.max");

        CommandResult result = await _pod.RunAsync("update", option, value, _pod.PodId);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
        Assert.Equal(before, await ReadAsync(_pod.PodId, "memory.max", "cpu.max"));
    }

    [Fact]
    public async Task Events_ContainerBurnsOneSecond_ShowsIt()
    {
        // Nothing but what the shell does itself: to load another program costs a quarter of a second in an emulated guest.
        string id = _pod.NewId();
        TestBundle bundle = _pod.NewPodBundle().Shell("echo up; read line; (ulimit -t 1; while :; do :; done); echo ok; read line");
        using RunningCommand run = _pod.Start("run", "--keep", "--bundle", bundle.Write(), id);
        await run.Output.ReadExactlyAsync(new byte[3], TestContext.Current.CancellationToken).AsTask().WaitAsync(RuntimeFixture.Limit);
        long before = Usage(await StatsAsync(id), "total"); // making the container has a cost, too

        await run.Input.WriteAsync(RuntimeFixture.Bytes("go\n"), TestContext.Current.CancellationToken);
        await run.Input.FlushAsync(TestContext.Current.CancellationToken);
        await run.Output.ReadExactlyAsync(new byte[3], TestContext.Current.CancellationToken).AsTask().WaitAsync(RuntimeFixture.Limit);

        JsonElement data = await StatsAsync(id);
        Assert.InRange(Usage(data, "total") - before, 800_000_000, 1_300_000_000);
        Assert.InRange(Usage(data, "user") + Usage(data, "kernel"), Usage(data, "total") - 10_000_000, Usage(data, "total") + 10_000_000);
        Assert.Equal(1, data.GetProperty("pids").GetProperty("current").GetInt32());
        JsonElement memory = data.GetProperty("memory");
        Assert.InRange(memory.GetProperty("usage").GetProperty("usage").GetInt64(), 4096, 64 * Mib);
        Assert.Equal(ulong.MaxValue, memory.GetProperty("usage").GetProperty("limit").GetUInt64());
        Assert.InRange(memory.GetProperty("raw").GetProperty("anon").GetInt64(), 4096, 64 * Mib);
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task Events_Interval_PrintsUntilTheContainerEnds()
    {
        string id = await StartAsync("sleep 1000");
        using RunningCommand events = _pod.Start("events", "--interval", "200ms", id);
        Task<CommandResult> finished = events.FinishAsync(default, RuntimeFixture.Limit);
        (await _pod.ExecAsync(_pod.PodId, "sleep", "2")).Ok();
        Assert.False(events.HasExited);

        (await _pod.RunAsync("kill", id, "KILL")).Ok();

        string[] lines = (await finished).Ok().Lines;
        Assert.InRange(lines.Length, 2, 1000);
        Assert.All(lines, line => Assert.Equal("stats", Parse(line).GetProperty("type").GetString()));
        (await _pod.RunAsync("delete", id)).Ok();
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1s")]
    [InlineData("5")]
    [InlineData("soon")]
    public async Task Events_BadInterval_IsRefused(string interval)
    {
        CommandResult result = await _pod.RunAsync("events", $"--interval={interval}", _pod.PodId);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("--interval", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OutOfMemory_FirstProcess_EndsWith137AndIsTold()
    {
        string id = _pod.NewId();
        TestBundle bundle = _pod.NewPodBundle().Shell("read line; exec tail /dev/zero");
        bundle.Linux["resources"]!["memory"] = new System.Text.Json.Nodes.JsonObject { ["limit"] = 16 * Mib, ["swap"] = 16 * Mib };
        using RunningCommand run = _pod.Start("run", "--keep", "--bundle", bundle.Write(), id);
        await WaitRunningAsync(id);
        using RunningCommand events = _pod.Start("events", "--interval", "300ms", id);
        // It watches.
        await events.Output.ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken).AsTask().WaitAsync(RuntimeFixture.Limit);

        Task<CommandResult> told = events.FinishAsync(default, RuntimeFixture.Limit);
        CommandResult result = await run.FinishAsync(RuntimeFixture.Bytes("go\n"), RuntimeFixture.Limit);

        Assert.Equal(137, result.ExitCode);
        Assert.Single((await told).Ok().Lines, line => line == $"{{\"type\":\"oom\",\"id\":\"{id}\"}}");
        Assert.True(File.Exists(Path.Combine(bundle.Directory, "oom")));
        (await _pod.RunAsync("delete", id)).Ok();
    }

    [Fact]
    public async Task OutOfMemory_FurtherProcess_IsToldAndTheContainerLivesOn()
    {
        string id = await StartAsync("sleep 1000", 16 * Mib);
        using RunningCommand events = _pod.Start("events", "--interval", "300ms", id);
        await events.Output.ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken).AsTask().WaitAsync(RuntimeFixture.Limit);
        Task<CommandResult> told = events.FinishAsync(default, RuntimeFixture.Limit);

        Assert.Equal(137, (await _pod.ExecAsync(id, "tail", "/dev/zero")).ExitCode);

        Assert.Contains("\"status\": \"running\"", (await _pod.RunAsync("state", id)).Ok().Text, StringComparison.Ordinal);
        (await _pod.RunAsync("kill", id, "KILL")).Ok();
        Assert.Single((await told).Ok().Lines, line => line == $"{{\"type\":\"oom\",\"id\":\"{id}\"}}");
        (await _pod.RunAsync("delete", id)).Ok();
    }

    [Theory]
    [InlineData("SIGRTMIN+3", 37)]
    [InlineData("rtmax", 64)]
    [InlineData("40", 40)]
    [InlineData("usr2", 12)]
    public async Task Kill_ByNameOrNumber_IsTheSignal(string signal, int number)
    {
        string marker = _pod.NewId();
        string id = await StartAsync($"trap 'exit 77' {number}; echo up > /tmp/{marker}; while :; do sleep 0.1; done");
        (await _pod.ExecShellAsync(_pod.PodId, $"until [ -s /tmp/{marker} ]; do sleep 0.05; done")).Ok();

        (await _pod.RunAsync("kill", id, "0")).Ok();
        (await _pod.RunAsync("kill", id, signal)).Ok();

        await WaitStatusAsync(id, "stopped");
        (await _pod.RunAsync("delete", id)).Ok();
    }

    [Fact]
    public async Task KillAll_Signal_ReachesEveryProcess()
    {
        string marker = _pod.NewId();
        string id = await StartAsync(
            $"(trap 'echo child >> /tmp/{marker}; exit' USR1; echo r >> /tmp/{marker}.r; while :; do sleep 0.1; done) & "
            + $"trap 'echo parent >> /tmp/{marker}' USR1; echo r >> /tmp/{marker}.r; while :; do sleep 0.1; done");
        (await _pod.ExecShellAsync(_pod.PodId, $"until [ \"$(cat /tmp/{marker}.r 2>/dev/null | wc -l)\" = 2 ]; do sleep 0.05; done")).Ok();

        (await _pod.RunAsync("kill", "--all", id, "USR1")).Ok();

        (await _pod.ExecShellAsync(
            _pod.PodId, $"until [ \"$(sort /tmp/{marker} 2>/dev/null | tr '\\n' ' ')\" = 'child parent ' ]; do sleep 0.05; done")).Ok();
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    private static JsonElement Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }

    private static long Usage(JsonElement data, string which) => data.GetProperty("cpu").GetProperty("usage").GetProperty(which).GetInt64();

    private async Task<JsonElement> StatsAsync(string id) =>
        Parse(Assert.Single((await _pod.RunAsync("events", "--stats", id)).Ok().Lines)).GetProperty("data");

    private async Task<string[]> ReadAsync(string id, params string[] files) =>
        (await _pod.ExecShellAsync(id, $"cd /sys/fs/cgroup && cat {string.Join(' ', files)}")).Ok().Lines;

    private async Task<string> StartAsync(string script, long memory = 0)
    {
        string id = _pod.NewId();
        TestBundle bundle = _pod.NewPodBundle().Shell(script);
        if (memory > 0)
        {
            bundle.Linux["resources"]!["memory"] = new System.Text.Json.Nodes.JsonObject { ["limit"] = memory, ["swap"] = memory };
        }

        (await _pod.RunDetachedAsync("run", "--detach", "--bundle", bundle.Write(), id)).Result.Ok();
        return id;
    }

    private Task WaitRunningAsync(string id) => WaitStatusAsync(id, "running");

    private async Task WaitStatusAsync(string id, string status)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!(await _pod.RunAsync("state", id)).Text.Contains($"\"status\": \"{status}\"", StringComparison.Ordinal))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(60), $"the container is not {status}");
        }
    }
}
