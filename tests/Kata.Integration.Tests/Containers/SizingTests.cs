using System.Globalization;
using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary>How large a pod's machine is, and what of it the host's control groups hold.</summary>
[Collection(ContainersGroup.Name)]
public sealed class SizingTests : IClassFixture<RuntimeFixture>
{
    private const string Size = "nproc; sed -n 's/MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo";

    private readonly RuntimeFixture _runtime;

    public SizingTests(RuntimeFixture runtime)
    {
        RuntimeFixture.Require();
        _runtime = runtime;
    }

    [Fact]
    public async Task Pod_WithAnnotations_IsAsLargeAsTheySayAndNoLarger()
    {
        string pod = await _runtime.StartSleeperAsync(static bundle => bundle.AsPod()
            .Annotation("io.kubernetes.cri.sandbox-cpu-period", "100000")
            .Annotation("io.kubernetes.cri.sandbox-cpu-quota", "70000")
            .Annotation("io.kubernetes.cri.sandbox-cpu-shares", "716")
            .Annotation("io.kubernetes.cri.sandbox-memory", "134217728")
            .Edit(static item => item.Process["oomScoreAdj"] = -998)); // as containerd writes it for what only holds the pod

        string[] lines = (await _runtime.ExecShellAsync(pod, Size)).Ok().Lines;
        Assert.Equal(Math.Min(2, Environment.ProcessorCount).ToString(CultureInfo.InvariantCulture), lines[0]);
        Assert.InRange(int.Parse(lines[1], CultureInfo.InvariantCulture), 300 * 1024, 384 * 1024); // default_memory = 256 and 128 more

        string member = await _runtime.StartSleeperAsync(bundle => bundle.InPod(pod).Edit(static item =>
        {
            item.Process["oomScoreAdj"] = 900;
            item.Linux["resources"] = JsonNode.Parse("""{ "memory": { "limit": 1073741824 } }""");
        }));
        Assert.Equal("1073741824", (await _runtime.ExecAsync(member, "cat", "/sys/fs/cgroup/memory.max")).Ok().Text);
        string log = await File.ReadAllTextAsync(_runtime.Log, TestContext.Current.CancellationToken);
        Assert.Contains(
            "The containers of the pod may use 1073741824 bytes of memory, and its machine has 402653184: a machine does not grow yet",
            log,
            StringComparison.Ordinal);

        // The host kills the machine, and what serves its files, as early as it would kill the container, and the service later.
        HostSnapshot snapshot = _runtime.Snapshot();
        Assert.Contains(snapshot.Processes, static process =>
            process.Command.StartsWith("qemu", StringComparison.Ordinal) && OomScoreOf(process.Pid) == "900");
        Assert.All(
            snapshot.Processes.Where(static process => process.Command.StartsWith("qemu", StringComparison.Ordinal)
                || process.Command.Contains("virtiofsd", StringComparison.Ordinal)),
            static process => Assert.Equal("900", OomScoreOf(process.Pid)));
        Assert.Equal(OomScoreOf(Environment.ProcessId), OomScoreOf(_runtime.ServicePid(pod)));
        (await _runtime.RunAsync("delete", "--force", member)).Ok();
        (await _runtime.RunAsync("delete", "--force", pod)).Ok();
    }

    [Fact]
    public async Task Create_AnnotationThatIsNoNumber_IsRefusedAndLeavesNothing()
    {
        CommandResult result = await _runtime.RunAsync(
            "run",
            "--bundle",
            _runtime.NewBundle().Args("true").AsPod().Annotation("io.kubernetes.cri.sandbox-memory", "128Mi").Write(),
            _runtime.NewId());

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("io.kubernetes.cri.sandbox-memory", result.Error, StringComparison.Ordinal);
        Assert.Contains("It must be a whole number", result.Error, StringComparison.Ordinal);
        await _runtime.AssertCleanAsync();
    }

    [Fact]
    public async Task SandboxCgroupOnly_Off_LimitsTheProcessorsAndNothingElse()
    {
        string id = _runtime.NewId(), named = $"/test-{id}";
        TestBundle bundle = _runtime.NewBundle().Args("sleep", "100000")
            .Annotation("io.katacontainers.config.runtime.sandbox_cgroup_only", "false")
            .Edit(item =>
            {
                item.Linux["cgroupsPath"] = named;
                item.Linux["resources"] = JsonNode.Parse(
                    """{ "memory": { "limit": 67108864 }, "cpu": { "shares": 512, "quota": 50000, "period": 100000 } }""");
            });
        (await _runtime.RunDetachedAsync("run", "--detach", "--bundle", bundle.Write(), id)).Result.Ok();

        HostSnapshot snapshot = _runtime.Snapshot();
        Assert.All(snapshot.Processes, process =>
            Assert.Contains($"/kata_overhead{named}/kata_{id}", File.ReadAllText($"/proc/{process.Pid}/cgroup"), StringComparison.Ordinal));
        int machine = snapshot.Processes.First(static process => process.Command.StartsWith("qemu", StringComparison.Ordinal)).Pid;
        string[] moved = [.. Directory.GetDirectories($"/proc/{machine}/task").Where(thread =>
            GroupsOf(thread).Any(group => IsOfProcessors(group, named)))];
        Assert.NotEmpty(moved);
        Assert.All(moved, static thread => Assert.Contains("CPU", File.ReadAllText($"{thread}/comm"), StringComparison.Ordinal));
        // With the machine's own processor.
        Assert.Contains(Read(named, id, "cpu.cfs_quota_us", "cpu.max"), (string[])["150000", "150000 100000"]);
        Assert.Contains(Read(named, id, "cpu.shares", "cpu.weight"), (string[])["512", "20"]);
        string memory = GroupsOf($"/proc/{machine}")
            .First(static line => line.Contains(":memory:", StringComparison.Ordinal) || line.StartsWith("0::", StringComparison.Ordinal));
        Assert.Contains("/kata_overhead/", memory, StringComparison.Ordinal);

        (await _runtime.RunAsync("update", "--cpu-quota", "70000", id)).Ok();
        Assert.Contains(Read(named, id, "cpu.cfs_quota_us", "cpu.max"), (string[])["170000", "170000 100000"]);
        (await _runtime.RunAsync("delete", "--force", id)).Ok();
        await _runtime.AssertCleanAsync();
    }

    private static string OomScoreOf(int process) => File.ReadAllText($"/proc/{process}/oom_score_adj").Trim();

    private static string[] GroupsOf(string directory) => File.ReadAllLines($"{directory}/cgroup");

    private static bool IsUnified => File.Exists("/sys/fs/cgroup/cgroup.controllers");

    // With version 2 the threads stay below the group of their process.
    private static bool IsOfProcessors(string group, string named) =>
        IsUnified ? group.EndsWith("/vcpus", StringComparison.Ordinal) : group.Contains($":{named}/kata_", StringComparison.Ordinal);

    private static string Read(string named, string id, string version1, string version2)
    {
        string above = IsUnified ? $"/sys/fs/cgroup/kata_overhead{named}" : $"/sys/fs/cgroup/cpu{named}";
        string group = Assert.Single(Directory.GetDirectories(above, $"kata_{id}*"));
        return File.ReadAllText(IsUnified ? $"{group}/vcpus/{version2}" : $"{group}/{version1}").Trim();
    }
}
