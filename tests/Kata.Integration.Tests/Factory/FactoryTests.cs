using System.Globalization;
using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;
using Kata.Integration.Tests.Networks;
using Kata.Linux;

namespace Kata.Integration.Tests.Factory;

/// <summary>Machines that wait for pods: who takes one, what a pod of one is, and what is left when something of it dies.</summary>
[Collection(ContainersGroup.Name)]
public sealed class FactoryTests : IClassFixture<FactoryFixture>
{
    private readonly FactoryFixture _runtime;

    public FactoryTests(FactoryFixture runtime)
    {
        RuntimeFixture.Require();
        _runtime = runtime;
    }

    [Fact]
    public async Task Run_WhereOneWaits_TakesIt()
    {
        await _runtime.FullAsync();
        int before = (await _runtime.CountsAsync()).Taken;
        int[] waiting = [.. _runtime.PoolProcesses().Select(static process => process.Pid)];
        Assert.InRange(waiting.Length, 3, 4); // service, machine, one or two of virtiofsd
        string id = await _runtime.StartSleeperAsync();

        int[] pods = [.. _runtime.Snapshot().Processes.Select(static process => process.Pid)];
        Assert.Subset(pods.ToHashSet(), waiting.ToHashSet()); // the very same processes, in the pod's control group
        Assert.Equal(before + 1, (await _runtime.CountsAsync()).Taken);
        Assert.Equal("kata-test", (await _runtime.ExecAsync(id, "hostname")).Ok().Text);
        Assert.Equal("here", (await _runtime.ExecShellAsync(id, "echo here > /tmp/x && cat /tmp/x")).Ok().Text);
        (await _runtime.RunAsync("delete", "--force", id)).Ok();
        await _runtime.FullAsync(); // another one took its place
    }

    [Fact]
    public async Task Pod_OfThePool_HasItsCallersSurroundings()
    {
        await _runtime.FullAsync();
        string data = _runtime.NewDirectory("volume"), told = Path.Combine(_runtime.NewDirectory("hook"), "told");
        await File.WriteAllTextAsync(Path.Combine(data, "file"), "from the host", TestContext.Current.CancellationToken);
        TestBundle bundle = _runtime.NewBundle().Shell("cat /data/file; ulimit -n; cat; exit 7").Edit(item =>
        {
            item.Config["mounts"]!.AsArray().Add(JsonNode.Parse(
                $$"""{ "destination": "/data", "type": "bind", "source": "{{data}}", "options": ["rbind", "ro"] }"""));
            item.Config["hooks"] = JsonNode.Parse(
                $$"""{ "prestart": [{ "path": "/bin/sh", "args": ["sh", "-c", "echo $CALLER $(umask) > {{told}}"] }] }""");
            item.Process.Remove("rlimits");
        });
        const string Script = "export CALLER=me; umask 0027; ulimit -Sn 555; exec \"$@\"";
        using RunningCommand command = RunningCommand.Start(
            "/bin/sh",
            ["-c", Script, "sh", RuntimeFixture.RuntimePath!, .. _runtime.Globals("run", "--bundle", bundle.Write(), _runtime.NewId())]);
        CommandResult result = await command.FinishAsync(RuntimeFixture.Bytes("input"), RuntimeFixture.Limit);

        Assert.Equal(7, result.ExitCode);
        Assert.Equal("from the host555\ninput", result.Text);
        Assert.Equal("me 0027\n", await File.ReadAllTextAsync(told, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Pod_OfThePool_SeesWhatWasMountedAfterTheMachineWasMade()
    {
        await _runtime.FullAsync();
        int before = (await _runtime.CountsAsync()).Taken;
        string memory = _runtime.NewDirectory("memory"), data = _runtime.NewDirectory("data");
        await RunAsync("/bin/mount", "-t", "tmpfs", "-o", "size=8m", "shm", memory);
        await RunAsync("/bin/mount", "-t", "tmpfs", "tmpfs", data);
        try
        {
            await File.WriteAllTextAsync(Path.Combine(data, "file"), "mounted", TestContext.Current.CancellationToken);
            TestBundle bundle = _runtime.NewBundle().Shell("cat /data/file; df -k /dev/shm | tail -1 | awk '{ print $2 }'")
                .Mount("/dev/shm", "bind", memory, "rbind").Mount("/data", "bind", data, "rbind");
            Assert.Equal("mounted8192", (await _runtime.RunAsync("run", "--bundle", bundle.Write(), _runtime.NewId())).Ok().Text);
            Assert.Equal(before + 1, (await _runtime.CountsAsync()).Taken);
        }
        finally
        {
            await RunAsync("/bin/umount", memory);
            await RunAsync("/bin/umount", data);
        }
    }

    [Fact]
    public async Task Pod_OfThePool_HasItsNetwork()
    {
        await _runtime.FullAsync();
        int before = (await _runtime.CountsAsync()).Taken;
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string id = await _runtime.StartSleeperAsync(bundle =>
        {
            NetworkFixture.Network(bundle, network.Path);
            foreach (string set in (string[])["bounding", "effective", "permitted"])
            {
                bundle.Process["capabilities"]![set]!.AsArray().Add("CAP_NET_RAW");
            }
        });
        Assert.Contains(
            "10.77.0.2/24", (await _runtime.ExecAsync(id, "busybox", "ip", "addr", "show", "eth0")).Ok().Text, StringComparison.Ordinal);
        (await _runtime.ExecAsync(id, "busybox", "ping", "-c", "1", "-W", "10", "10.77.0.1")).Ok();
        Assert.Equal(before + 1, (await _runtime.CountsAsync()).Taken);
        (await _runtime.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task Burst_OfMoreThanWait_AllRun()
    {
        await _runtime.FullAsync();
        Task<CommandResult>[] all = [.. Enumerable.Range(0, 4).Select(async number =>
        {
            string text = number.ToString(CultureInfo.InvariantCulture);
            return await _runtime.RunAsync("run", "--bundle", _runtime.NewBundle().Args("echo", text).Write(), _runtime.NewId());
        })];
        CommandResult[] results = await Task.WhenAll(all);
        Assert.Equal(["0", "1", "2", "3"], results.Select(static result => result.Ok().Text));
    }

    [Fact]
    public async Task Pod_ThatNeedsAnotherMachine_IsMadeCold()
    {
        await _runtime.FullAsync();
        (int Waiting, int Wanted, int Taken, int NotFound) before = await _runtime.CountsAsync();
        string id = await _runtime.StartSleeperAsync(static bundle => bundle.Edit(static item =>
            item.Linux["resources"] = JsonNode.Parse("""{ "memory": { "limit": 134217728 } }""")));
        Assert.Equal((before.Taken, before.NotFound + 1), ((await _runtime.CountsAsync()).Taken, (await _runtime.CountsAsync()).NotFound));
        (await _runtime.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task Id_ThatAPodHas_IsRefusedAndNothingIsLost()
    {
        await _runtime.FullAsync();
        string id = await _runtime.StartSleeperAsync();
        await _runtime.FullAsync();
        CommandResult result = await _runtime.RunAsync("run", "--bundle", _runtime.NewBundle().Args("true").Write(), id);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("exists already", result.Error, StringComparison.Ordinal);
        Assert.Equal(1, (await _runtime.CountsAsync()).Waiting);
        (await _runtime.ExecAsync(id, "true")).Ok();
        (await _runtime.RunAsync("delete", "--force", id)).Ok();
    }

    [Theory]
    [InlineData("kata-runtime")]
    [InlineData("qemu")]
    [InlineData("virtiofsd")]
    public async Task Waiting_WhereSomethingIsKilled_IsReplaced(string program)
    {
        await _runtime.FullAsync();
        IReadOnlyList<(int Pid, string Command)> waiting = _runtime.PoolProcesses();
        HostProcess.Signal(waiting.First(process => process.Command.StartsWith(program, StringComparison.Ordinal)).Pid, Signals.SIGKILL);
        using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
        foreach ((int pid, string _) in waiting)
        {
            await HostProcess.EndedAsync(pid, limit.Token);
        }

        (await _runtime.RunAsync("run", "--bundle", _runtime.NewBundle().Args("true").Write(), _runtime.NewId())).Ok();
        await _runtime.FullAsync();
        Assert.Equal(waiting.Count, _runtime.PoolProcesses().Count);
    }

    [Fact]
    public async Task Waiting_ThatDoesNotAnswer_IsDiscardedAndThePodMadeCold()
    {
        await _runtime.FullAsync();
        int machine = Machine();
        HostProcess.Signal(machine, Signals.SIGSTOP);
        string id = await _runtime.StartSleeperAsync();
        (await _runtime.ExecAsync(id, "true")).Ok();
        Assert.Contains(
            $"Sandbox {id} does not get the machine that was made in advance: its agent does not answer. Making one now",
            await File.ReadAllTextAsync(_runtime.Log, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
        await HostProcess.EndedAsync(machine, limit.Token);
        (await _runtime.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task Factory_ThatIsKilled_LeavesPodsAndNothingElse()
    {
        await _runtime.FullAsync();
        string id = await _runtime.StartSleeperAsync();
        await _runtime.FullAsync();
        string status = (await _runtime.RunAsync("factory", "status")).Ok().Text;
        HostProcess.Signal(int.Parse(
            status.Split('\n').Single(static line => line.StartsWith("VM cache server pid = ", StringComparison.Ordinal)).Split(' ')[^1],
            CultureInfo.InvariantCulture), Signals.SIGKILL);
        await _runtime.AssertPoolGoneAsync(); // what waits ends by itself
        (await _runtime.ExecAsync(id, "true")).Ok();
        Assert.Equal("vm factory is off", (await _runtime.RunAsync("factory", "status")).Ok().Text);
        (await _runtime.RunAsync("run", "--bundle", _runtime.NewBundle().Args("true").Write(), _runtime.NewId())).Ok();
        (await _runtime.RunAsync("factory", "init")).Ok();
        Assert.Equal(1, (await _runtime.CountsAsync()).Waiting);
        (await _runtime.ExecAsync(id, "true")).Ok();
        (await _runtime.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task Factory_Twice_IsRefusedOrTheSame()
    {
        await _runtime.FullAsync();
        Assert.Equal("vm factory initialized", (await _runtime.RunAsync("factory", "init")).Ok().Text);
        CommandResult second = await _runtime.RunAsync("factory", "serve");
        Assert.Equal(1, second.ExitCode);
        Assert.Contains("another factory does", second.Error, StringComparison.Ordinal);
        Assert.Equal(1, (await _runtime.CountsAsync()).Waiting);
    }

    [Fact]
    public async Task Waiting_WhenItsConfigurationChanges_IsReplaced()
    {
        await _runtime.FullAsync();
        string text = await File.ReadAllTextAsync(_runtime.ConfigurationFile, TestContext.Current.CancellationToken);
        int machine = Machine();
        try
        {
            await File.WriteAllTextAsync(
                _runtime.ConfigurationFile, text.Replace("default_memory = 256", "default_memory = 320", StringComparison.Ordinal),
                TestContext.Current.CancellationToken);
            string id = await _runtime.StartSleeperAsync(); // cold, and the factory looks
            Assert.InRange(int.Parse(
                (await _runtime.ExecShellAsync(id, "sed -n 's/MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")).Ok().Text,
                CultureInfo.InvariantCulture), 260 * 1024, 320 * 1024);
            using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
            await HostProcess.EndedAsync(machine, limit.Token);
            (await _runtime.RunAsync("delete", "--force", id)).Ok();
            await _runtime.FullAsync();
            Assert.Contains("Memory = 320MiB", (await _runtime.RunAsync("factory", "status")).Ok().Text, StringComparison.Ordinal);
        }
        finally
        {
            await File.WriteAllTextAsync(_runtime.ConfigurationFile, text, CancellationToken.None);
            (await _runtime.RunAsync("factory", "destroy")).Ok();
            (await _runtime.RunAsync("factory", "init")).Ok();
        }
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using RunningCommand command = RunningCommand.Start(program, arguments);
        (await command.FinishAsync(default, RuntimeFixture.Limit)).Ok();
    }

    private int Machine() =>
        _runtime.PoolProcesses().Single(static process => process.Command.StartsWith("qemu", StringComparison.Ordinal)).Pid;
}
