using System.Globalization;
using System.Text.Json;
using Kata.Integration.Tests.Harness;
using Kata.Linux;

namespace Kata.Integration.Tests.Containerd;

/// <summary>What containerd is told that a container uses, against what the guest itself says.</summary>
public sealed class MetricsTests : IClassFixture<ContainerdFixture>
{
    private const long Limit = 128 << 20;

    // 24 MiB that stay, some processor time, and then nothing more.
    private const string Load = "dd if=/dev/zero of=/dev/shm/kept bs=1M count=24 2>/dev/null; for i in $(seq 3000); do :; done; "
        + ": > /dev/shm/done; exec sleep 100000";

    private readonly ContainerdFixture _containerd;

    public MetricsTests(ContainerdFixture containerd)
    {
        ContainerdFixture.RequireContainerd();
        _containerd = containerd;
    }

    [Fact]
    public async Task Metrics_OfATask_AreOfTheHostsVersionAndWhatTheGuestSays()
    {
        string id = _containerd.NewId();
        (await _containerd.CtrAsync(
            [
                "run", "--detach", "--memory-limit", $"{Limit}", "--mount", "type=cgroup,src=cgroup,dst=/sys/fs/cgroup,options=ro",
                .. ContainerdFixture.Runtime, ContainerdFixture.Image, id, "sh", "-c", Load,
            ])).Ok();
        (await ExecAsync(id, "until [ -e /dev/shm/done ]; do sleep 0.1; done")).Ok();

        Dictionary<string, long> before = await FiguresAsync(id);
        using var document = JsonDocument.Parse((await _containerd.CtrAsync("tasks", "metrics", "--format", "json", id)).Ok().Text);
        Dictionary<string, long> after = await FiguresAsync(id);
        JsonElement cpu = document.RootElement.GetProperty("cpu"), memory = document.RootElement.GetProperty("memory");
        bool unified = CgroupLayout.Read().IsUnified;

        // Time only grows, so what lies between two looks is right; an exec of ours is counted too.
        long usec = unified ? Number(cpu, "usage_usec") : Number(cpu.GetProperty("usage"), "total") / 1000;
        Assert.InRange(usec, before["usage_usec"], after["usage_usec"]);
        Assert.InRange(
            unified ? Number(cpu, "user_usec") : Number(cpu.GetProperty("usage"), "user") / 1000,
            before["user_usec"] * 95 / 100,
            after["user_usec"] * 105 / 100);
        long used = unified ? Number(memory, "usage") : Number(memory.GetProperty("usage"), "usage");
        Assert.InRange(used, 24 << 20, Limit);
        Near(before["current"], after["current"], used);
        Near(before["shmem"], after["shmem"], unified ? Number(memory, "shmem") : 24 << 20);
        Near(before["file"], after["file"], unified ? Number(memory, "file") : Number(memory, "total_cache"));
        Near(before["inactive_anon"], after["inactive_anon"], Number(memory, unified ? "inactive_anon" : "total_inactive_anon"));
        Assert.Equal(Limit, unified ? Number(memory, "usage_limit") : Number(memory.GetProperty("usage"), "limit"));
        Assert.Equal(1, Number(document.RootElement.GetProperty("pids"), "current"));

        // The host without memory ends the pod's service before containerd, whose score is the tests' own.
        int service = _containerd.Snapshot().Processes.First(static process =>
            process.Command.StartsWith("kata-runtime service", StringComparison.Ordinal)).Pid;
        Assert.Equal(Math.Min(OomScore.Read(Environment.ProcessId) + 1, OomScore.Highest), OomScore.Read(service));
        (await _containerd.CtrAsync("tasks", "kill", "--signal", "SIGKILL", id)).Ok();
        await UntilStoppedAsync(id);
        await _containerd.CtrAsync("tasks", "delete", id);
        (await _containerd.CtrAsync("containers", "delete", id)).Ok();
        await _containerd.AssertCleanAsync();
    }

    // What is between the two, or within 5 % of them: an exec takes and gives back some pages.
    private static void Near(long before, long after, long told) =>
        Assert.InRange(told, Math.Min(before, after) * 95 / 100, Math.Max(before, after) * 105 / 100);

    private static long Number(JsonElement parent, string name) => parent.GetProperty(name).GetInt64();

    private async Task<Dictionary<string, long>> FiguresAsync(string id)
    {
        CommandResult result = await ExecAsync(id, "cd /sys/fs/cgroup; echo current $(cat memory.current); cat cpu.stat memory.stat");
        return result.Ok().Lines.Select(static line => line.Trim().Split(' '))
            .ToDictionary(static words => words[0], static words => long.Parse(words[1], CultureInfo.InvariantCulture));
    }

    private Task<CommandResult> ExecAsync(string id, string script) =>
        _containerd.CtrAsync("tasks", "exec", "--exec-id", Guid.NewGuid().ToString("N"), id, "sh", "-c", script);

    private async Task UntilStoppedAsync(string id)
    {
        using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
        while (!(await _containerd.CtrAsync("tasks", "list")).Ok().Lines.Any(line =>
            line.StartsWith(id + ' ', StringComparison.Ordinal) && line.Contains("STOPPED", StringComparison.Ordinal)))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
        }
    }
}
