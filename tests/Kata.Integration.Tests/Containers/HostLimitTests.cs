using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;
using Kata.Linux;

namespace Kata.Integration.Tests.Containers;

/// <summary>What the host's control groups say of a pod, on a host with either version of them.</summary>
[Collection(ContainersGroup.Name)]
public sealed class HostLimitTests : IClassFixture<RuntimeFixture>
{
    private const string Limits = """
        { "memory": { "limit": 67108864 }, "cpu": { "shares": 512, "quota": 50000, "period": 100000, "cpus": "0" } }
        """;

    private readonly RuntimeFixture _runtime;

    public HostLimitTests(RuntimeFixture runtime)
    {
        RuntimeFixture.Require();
        _runtime = runtime;
    }

    [Fact]
    public async Task Limits_OfTheContainer_HoldThePodOnTheHostAndChangeWithIt()
    {
        string id = _runtime.NewId(), named = $"/test-{id}", pidFile = Path.Combine(_runtime.DirectoryPath, id + ".pid");
        TestBundle bundle = _runtime.NewBundle().Args("sleep", "100000").Edit(item =>
        {
            item.Linux["cgroupsPath"] = named;
            item.Linux["resources"] = JsonNode.Parse(Limits);
        });
        (await _runtime.RunDetachedAsync("run", "--detach", "--bundle", bundle.Write(), "--pid-file", pidFile, id)).Result.Ok();

        IReadOnlyList<(int Pid, string Command)> processes = _runtime.Snapshot().Processes;
        Assert.Contains(processes, static process => process.Command.StartsWith("qemu", StringComparison.Ordinal));
        Assert.All(processes, process => Assert.Contains(named, File.ReadAllText($"/proc/{process.Pid}/cgroup"), StringComparison.Ordinal));
        string ofTheStandIn = await File.ReadAllTextAsync(
            $"/proc/{(await File.ReadAllTextAsync(pidFile, TestContext.Current.CancellationToken)).Trim()}/cgroup",
            TestContext.Current.CancellationToken);
        Assert.Contains(named, ofTheStandIn, StringComparison.Ordinal);
        // With the machine's own processor.
        Assert.Contains(Read(named, "cpu.cfs_quota_us", "cpu.max"), (string[])["150000", "150000 100000"]);
        Assert.Contains(Read(named, "cpu.shares", "cpu.weight"), (string[])["512", "20"]);
        Assert.Equal("0", Read(named, "cpuset.cpus", "cpuset.cpus"));
        Assert.True(
            long.Parse(Read(named, "memory.limit_in_bytes", "memory.max"), System.Globalization.CultureInfo.InvariantCulture) > 64 << 20);
        Assert.Equal("67108864", (await _runtime.ExecAsync(id, "cat", "/sys/fs/cgroup/memory.max")).Ok().Text);

        (await _runtime.RunAsync("update", "--cpu-quota", "70000", "--cpu-share", "1024", id)).Ok();
        Assert.Contains(Read(named, "cpu.cfs_quota_us", "cpu.max"), (string[])["170000", "170000 100000"]);
        Assert.Contains(Read(named, "cpu.shares", "cpu.weight"), (string[])["1024", "39"]);
        CommandResult refused = await _runtime.RunAsync("update", "--cpuset-cpus", "4000", id);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("Cannot limit the pod to '4000'", refused.Error, StringComparison.Ordinal);

        (await _runtime.RunAsync("delete", "--force", id)).Ok();
        await _runtime.AssertCleanAsync();
    }

    [Fact]
    public async Task Create_ProcessorsThatTheHostLacks_IsRefusedAndLeavesNothing()
    {
        string id = _runtime.NewId();
        TestBundle bundle = _runtime.NewBundle()
            .Args("true").Edit(static item => item.Linux["resources"] = JsonNode.Parse("""{ "cpu": { "cpus": "4000" } }"""));

        CommandResult result = await _runtime.RunAsync("run", "--bundle", bundle.Write(), id);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("Cannot limit the pod to '4000'", result.Error, StringComparison.Ordinal);
        await _runtime.AssertCleanAsync();
    }

    private static string Read(string named, params string[] files) => File.ReadAllText(CgroupLayout.Read().Hierarchies
        .Select(hierarchy => hierarchy.MountPoint + named)
        .Where(Directory.Exists)
        .SelectMany(Directory.EnumerateDirectories)
        .SelectMany(group => files.Select(file => Path.Combine(group, file)))
        .First(File.Exists)).Trim();
}
