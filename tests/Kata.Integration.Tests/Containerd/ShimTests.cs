using Kata.Integration.Tests.Containers;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containerd;

/// <summary>containerd's own client, ctr, on pods of ours by the shim.</summary>
public sealed class ShimTests : IClassFixture<ContainerdFixture>
{
    private const int WarmUp = 8; // until pools and caches have their sizes
    private const int SoakCycles = 200;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly ContainerdFixture _containerd;

    public ShimTests(ContainerdFixture containerd)
    {
        ContainerdFixture.RequireContainerd();
        _containerd = containerd;
    }

    private static int Cycles => ManyTests.SoakCount is null ? 16 : SoakCycles;

    [Fact]
    public async Task Run_Program_GivesOutputAndExitCodeFromTheGuest()
    {
        CommandResult result = await RunAsync("sh", "-c", "cat /proc/sys/kernel/random/boot_id; echo err >&2; exit 7");

        Assert.Equal(7, result.ExitCode);
        Assert.NotEqual(
            (await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id", TestContext.Current.CancellationToken)).Trim(), result.Text);
        Assert.Equal(36, result.Text.Length);
        Assert.Contains("err", result.Error, StringComparison.Ordinal);
        await _containerd.AssertCleanAsync();
    }

    [Fact]
    public async Task Run_UnknownProgram_SaysSoAndLeavesNothing()
    {
        CommandResult result = await RunAsync("no-such-program");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("no-such-program", result.Error, StringComparison.Ordinal);
        await _containerd.AssertCleanAsync();
    }

    [Fact]
    public async Task Events_OfOneLife_ComeOnceAndInOrder()
    {
        string file = Path.Combine(_containerd.DirectoryPath, "events");
        using RunningCommand events = _containerd.StartCtrTo(file, "events");
        string id = await StartAsync("sleep", "100000");
        Assert.Equal(3, (await _containerd.CtrAsync("tasks", "exec", "--exec-id", "e1", id, "sh", "-c", "exit 3")).ExitCode);
        (await _containerd.CtrAsync("tasks", "pause", id)).Ok();
        (await _containerd.CtrAsync("tasks", "resume", id)).Ok();
        await EndAsync(id);

        string[] told;
        using var limit = new CancellationTokenSource(s_limit);
        while (!(told = TopicsOf(id, await File.ReadAllLinesAsync(file, limit.Token))).Contains("/tasks/delete"))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
        }

        Assert.Equal(
            [
                "/tasks/create", "/tasks/start", "/tasks/exec-added", "/tasks/exec-started", "/tasks/exit", "/tasks/paused",
                "/tasks/resumed", "/tasks/exit", "/tasks/delete",
            ],
            told);
    }

    [Fact]
    public async Task Exec_Input_IsReadToItsEnd()
    {
        string id = await StartAsync("sleep", "100000");
        byte[] sent = new byte[200_000];
        new Random(5).NextBytes(sent);
        using (RunningCommand exec = _containerd.StartCtr("tasks", "exec", "--exec-id", "e1", id, "sh", "-c", "wc -c; echo done"))
        {
            Assert.Equal(["200000", "done"], (await exec.FinishAsync(sent, s_limit)).Ok().Lines.Select(static line => line.Trim()));
        }

        Assert.Contains(id, (await _containerd.CtrAsync("tasks", "metrics", id)).Ok().Text, StringComparison.Ordinal);
        await EndAsync(id);
    }

    [Fact]
    public async Task Restart_OfContainerd_FindsThePodAgain()
    {
        string id = await StartAsync("sleep", "100000");
        await _containerd.RestartAsync();

        Assert.Contains("RUNNING", (await _containerd.CtrAsync("tasks", "list")).Ok().Text, StringComparison.Ordinal);
        Assert.Equal("again", (await _containerd.CtrAsync("tasks", "exec", "--exec-id", "e1", id, "echo", "again")).Ok().Text);
        await EndAsync(id);
    }

    [Fact]
    public async Task Exec_CannotBeStarted_ClientEndsAtOnceAndUsesTheIdAgain()
    {
        string id = await StartAsync("sleep", "100000");
        CommandResult refused = await _containerd.CtrAsync("tasks", "exec", "--exec-id", "e1", id, "/no/such/program");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("/no/such/program", refused.Error, StringComparison.Ordinal);
        Assert.Equal("again", (await _containerd.CtrAsync("tasks", "exec", "--exec-id", "e1", id, "echo", "again")).Ok().Text);
        await EndAsync(id);
    }

    [Theory]
    [InlineData("kata-runtime service", false)]
    [InlineData("qemu", true)]
    public async Task Kill_OfAComponent_EndsTheTaskAndLeavesNothing(string program, bool serviceLives)
    {
        string id = await StartAsync("sleep", "100000");
        int victim = _containerd.Snapshot().Processes.First(process => process.Command.StartsWith(program, StringComparison.Ordinal)).Pid;
        HostProcess.Signal(victim, 9);

        // containerd has our delete called for a service that is gone, and forgets the task; of a machine that is gone the service tells.
        await UntilAsync(id, line => serviceLives ? line?.Contains("STOPPED", StringComparison.Ordinal) ?? false : line is null);
        if (serviceLives)
        {
            CommandResult deleted = await _containerd.CtrAsync("tasks", "delete", id);
            Assert.Contains("255", deleted.Error, StringComparison.Ordinal); // never a success
        }

        (await _containerd.CtrAsync("containers", "delete", id)).Ok();
        await _containerd.AssertCleanAsync();
    }

    /// <summary>One pod in which containers come and go: 200 in a soak.</summary>
    [Fact]
    public async Task Cycle_ManyContainersOfAPod_LeaveTheShimAsItWas()
    {
        string pod = await StartAsync(["io.kubernetes.cri.container-type=sandbox"], "sleep", "100000");
        int shim = _containerd.ServicePid(pod);
        await CycleAsync(WarmUp);
        ProcessUsage before = ProcessUsage.Of(shim);

        await CycleAsync(Cycles);

        var after = ProcessUsage.Of(shim);
        TestContext.Current.TestOutputHelper?.WriteLine($"after {WarmUp} cycles {before}, after {Cycles} more {after}");
        Assert.InRange(after.Descriptors, 1, before.Descriptors + 2);
        Assert.InRange(after.Threads, 1, before.Threads + 4); // pool threads come and go
        Assert.InRange(after.PrivateDirtyKib, 1, before.PrivateDirtyKib + 1536);
        await EndAsync(pod);

        async Task CycleAsync(int count)
        {
            for (int i = 0; i < count; i++)
            {
                string id = await StartAsync(
                    ["io.kubernetes.cri.container-type=container", $"io.kubernetes.cri.sandbox-id={pod}"], "sleep", "100000");
                (await _containerd.CtrAsync("tasks", "exec", "--exec-id", "e", id, "true")).Ok();
                await _containerd.CtrAsync("tasks", "delete", "--force", id); // its own status is that of the container: 137
                (await _containerd.CtrAsync("containers", "delete", id)).Ok();
            }
        }
    }

    private static string[] TopicsOf(string id, IEnumerable<string> lines) =>
    [
        .. lines.Where(line => line.Contains($"\"container_id\":\"{id}\"", StringComparison.Ordinal))
            .Select(static line => line.Split(' ').First(static word => word.StartsWith("/tasks/", StringComparison.Ordinal))),
    ];

    private Task<CommandResult> RunAsync(params string[] program) =>
        _containerd.CtrAsync(["run", "--rm", .. ContainerdFixture.Runtime, ContainerdFixture.Image, _containerd.NewId(), .. program]);

    private Task<string> StartAsync(params string[] program) => StartAsync([], program);

    private async Task<string> StartAsync(string[] annotations, params string[] program)
    {
        string id = _containerd.NewId();
        (await _containerd.CtrAsync(
            [
                "run", "--detach", .. ContainerdFixture.Runtime, .. annotations.SelectMany(static item => new[] { "--annotation", item }),
                ContainerdFixture.Image, id, .. program,
            ])).Ok();
        return id;
    }

    private async Task EndAsync(string id)
    {
        (await _containerd.CtrAsync("tasks", "kill", "--signal", "SIGKILL", id)).Ok();
        await UntilAsync(id, static line => line?.Contains("STOPPED", StringComparison.Ordinal) ?? false);
        await _containerd.CtrAsync("tasks", "delete", id); // its own status is that of the container: 137
        (await _containerd.CtrAsync("containers", "delete", id)).Ok();
        await _containerd.AssertCleanAsync();
    }

    // What containerd lists of the task becomes so.
    private async Task UntilAsync(string id, Func<string?, bool> condition)
    {
        using var limit = new CancellationTokenSource(s_limit);
        while (!condition((await _containerd.CtrAsync("tasks", "list")).Ok().Lines.FirstOrDefault(line =>
            line.StartsWith(id + ' ', StringComparison.Ordinal))))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
        }
    }
}
