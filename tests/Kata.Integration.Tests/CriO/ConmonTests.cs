using System.Globalization;
using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.CriO;

/// <summary>CRI-O's <c>runtime_type = "oci"</c>: its documents, its command lines, the real conmon.</summary>
[Collection(ContainersGroup.Name)]
public sealed class ConmonTests : IClassFixture<ConmonFixture>
{
    private const string Namespaces = "for n in ipc uts; do ls -l /proc/self/ns/$n | sed 's/.*-> //'; done";

    private readonly ConmonFixture _crio;

    public ConmonTests(ConmonFixture crio)
    {
        RuntimeFixture.Require();
        Assert.SkipWhen(ConmonFixture.ConmonProblem is not null, ConmonFixture.ConmonProblem ?? "");
        _crio = crio;
    }

    [Fact]
    public async Task Pod_OfCrioDocuments_RunsItsContainerWithWhatThePodHas()
    {
        const string Names = $"{Namespaces}; hostname; cat /proc/sys/kernel/random/boot_id";
        string[] ofPod = (await _crio.CallAsync("exec", _crio.Pod.Id, "sh", "-c", $"{Names}; echo shared > /dev/shm/word")).Ok().Lines;

        string[] ofApp = await ExecAsync("sh", "-c", $"{Names}; cat /dev/shm/word /etc/hostname; ls -d /proc/[0-9]* | wc -l");

        Assert.Equal([.. ofPod, "shared", "crio-pod"], ofApp[..^1]);
        Assert.Equal("crio-pod", ofPod[2]);
        Assert.InRange(int.Parse(ofApp[^1], CultureInfo.InvariantCulture), 2, 4); // its own processes: sleep, sh, ls, wc
        Assert.Equal("running", JsonNode.Parse((await _crio.CallAsync("state", _crio.App)).Ok().Text)!["status"]!.ToString());
    }

    [Fact]
    public async Task Namespaces_HeldByFilesOfAnotherPod_AreRefused()
    {
        CriOPod other = await CriOPod.MakeAsync(_crio);
        try
        {
            string id = _crio.NewId();
            JsonNode answer = await _crio.CreateAsync(
                id, _crio.Pod.WriteContainer(id, ["/bin/true"], config => CriOPod.Join(config, "ipc", other.Pin("ipc"))));

            Assert.Equal(-1, answer["pid"]!.GetValue<int>());
            Assert.Contains("/linux/namespaces/2/path", answer["message"]!.ToString(), StringComparison.Ordinal);
            Assert.Contains("a container outside of this pod", answer["message"]!.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            await other.ReleaseAsync();
        }
    }

    /// <summary>kubectl debug --target: the file is mounted while the pod runs.</summary>
    [Fact]
    public async Task Container_WithTheProcessesOfAnother_SeesThemAndNoOther()
    {
        string second = _crio.NewId(), id = _crio.NewId();
        string pid = await _crio.RunAsync(second, _crio.Pod.WriteContainer(second, ["/bin/sleep", "4711"]));
        string file = await _crio.Pod.PinProcessesAsync(pid);

        string bundle = _crio.Pod.WriteContainer(id, ["/bin/sleep", "100000"], config => CriOPod.Join(config, "pid", file));
        await _crio.RunAsync(id, bundle);

        Assert.Equal(
            ["/bin/sleep 4711 "],
            await _crio.ExecSyncAsync(id, CriOPod.ProcessOf(bundle, terminal: false, "sh", "-c", "tr '\\0' ' ' < /proc/1/cmdline; echo")));
        await _crio.RemoveAsync(id);
        await _crio.RemoveAsync(second);
    }

    [Fact]
    public async Task Pod_ThatSharesItsProcesses_ShowsThemToItsContainer()
    {
        string id = _crio.NewId();
        string pid = JsonNode.Parse((await _crio.CallAsync("state", _crio.Pod.Id)).Ok().Text)!["pid"]!.ToString();
        string bundle = _crio.Pod.WriteContainer(
            id, ["/bin/sleep", "100000"], config => CriOPod.Join(config, "pid", $"/proc/{pid}/ns/pid"));
        await _crio.RunAsync(id, bundle);

        string[] seen = await _crio.ExecSyncAsync(
            id, CriOPod.ProcessOf(bundle, terminal: false, "sh", "-c", "tr '\\0' ' ' < /proc/1/cmdline; echo; echo $$"));

        Assert.Equal("/bin/sleep 100000 ", seen[0]);
        Assert.NotEqual("1", seen[1]);
        await _crio.RemoveAsync(id);
    }

    /// <summary>Its documents copy the container's; a document that says nothing means the same.</summary>
    [Theory]
    [InlineData("document", "997 705 805")]
    [InlineData("bare", "997 705 805")]
    [InlineData("own", "-5 1000 1000")]
    [InlineData("words", "997 705 805")]
    public async Task Exec_OfAContainer_HasItsScoreAndLimits(string kind, string expected)
    {
        const string Script = "echo $(cat /proc/self/oom_score_adj) $(ulimit -Sn) $(ulimit -Hn)";
        JsonObject process = CriOPod.ProcessOf(_crio.AppBundle, terminal: false, "sh", "-c", Script);
        if (kind == "bare")
        {
            process.Remove("oomScoreAdj");
            process.Remove("rlimits");
        }
        else if (kind == "own")
        {
            process["oomScoreAdj"] = -5;
            process["rlimits"] = JsonNode.Parse("""[{ "type": "RLIMIT_NOFILE", "hard": 1000, "soft": 1000 }]""");
        }

        Assert.Equal(
            [expected],
            kind == "words"
                ? (await _crio.CallAsync("exec", _crio.App, "sh", "-c", Script)).Ok().Lines
                : await _crio.ExecSyncAsync(_crio.App, process));
    }

    /// <summary>The agent stands with the score of a process for a moment: the next has its own again.</summary>
    [Fact]
    public async Task Exec_AfterOneWithAScore_HasNone()
    {
        string id = _crio.NewId();
        string bundle = _crio.Pod.WriteContainer(
            id, ["/bin/sleep", "100000"], static config => config["process"]!.AsObject().Remove("oomScoreAdj"));
        await _crio.RunAsync(id, bundle);
        Task<string[]>[] scores = [.. Enumerable.Range(0, 4).Select(i => i % 2 == 0
            ? ExecAsync("cat", "/proc/self/oom_score_adj")
            : _crio.ExecSyncAsync(id, CriOPod.ProcessOf(bundle, terminal: false, "cat", "/proc/self/oom_score_adj")))];

        Assert.Equal(["997", "0", "997", "0"], (await Task.WhenAll(scores)).Select(static lines => lines[0]));
        await _crio.RemoveAsync(id);
    }

    /// <summary>CRI-O compares with the host's control group of the container, where nothing is.</summary>
    [Fact]
    public async Task Update_BelowWhatTheContainerUses_IsRefusedAndItLives()
    {
        const int Mib = 1 << 20;
        string id = _crio.NewId();
        string bundle = _crio.Pod.WriteContainer(
            id, ["/bin/sh", "-c", "dd if=/dev/zero of=/dev/shm/used bs=1M count=32 2>/dev/null; sleep 100000"]);
        await _crio.RunAsync(id, bundle);
        const string Script = "until [ $(stat -c %s /dev/shm/used) -eq 33554432 ]; do sleep 0.1; done; cat /sys/fs/cgroup/memory.current";
        string used = (await _crio.ExecSyncAsync(id, CriOPod.ProcessOf(bundle, terminal: false, "sh", "-c", Script)))[0];
        Assert.InRange(long.Parse(used, CultureInfo.InvariantCulture), 32L * Mib, 96L * Mib);

        CommandResult refused = await UpdateAsync(id, 16 * Mib);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("the container uses", refused.Error, StringComparison.Ordinal);
        Assert.Equal("100663296", await LimitAsync(id, bundle)); // as before, and it answers

        (await UpdateAsync(id, 80 * Mib)).Ok();
        Assert.Equal("83886080", await LimitAsync(id, bundle));
        (await _crio.CallAsync("exec", id, "rm", "/dev/shm/used")).Ok();
        (await UpdateAsync(id, 24 * Mib)).Ok(); // what the kernel can take back does not count
        Assert.Equal("25165824", await LimitAsync(id, bundle));
        await _crio.RemoveAsync(id);
    }

    [Theory]
    [InlineData("exit 3", null, "3")]
    [InlineData("sleep 100000", "KILL", "137")]
    public async Task Container_ThatEnds_LeavesItsStatusWithConmon(string script, string? signal, string status)
    {
        string id = _crio.NewId();
        await _crio.RunAsync(id, _crio.Pod.WriteContainer(id, ["/bin/sh", "-c", script]));
        if (signal is not null)
        {
            (await _crio.CallAsync("kill", id, signal)).Ok();
        }

        Assert.Equal(status, await _crio.ExitOfAsync(id));
        await _crio.RemoveAsync(id);
        await _crio.RemoveAsync(id); // again, as after a restart of CRI-O
    }

    [Fact]
    public async Task Pod_WithAUserNamespace_HasItInEveryContainer()
    {
        CriOPod pod = await _crio.RunPodAsync(user: true);
        string id = _crio.NewId();
        string bundle = pod.WriteContainer(id, ["/bin/sleep", "100000"]);
        await _crio.RunAsync(id, bundle);

        string[] seen = await _crio.ExecSyncAsync(id, CriOPod.ProcessOf(
            bundle, terminal: false, "sh", "-c", "echo $(cat /proc/self/uid_map); ls -l /proc/self/ns/user | sed 's/.*-> //'; hostname"));

        string ofPod = (await _crio.CallAsync("exec", pod.Id, "sh", "-c", "ls -l /proc/self/ns/user | sed 's/.*-> //'")).Ok().Text;
        Assert.Equal(["0 100000 65536", ofPod, "crio-pod"], seen);
        await _crio.RemoveAsync(id);
        await _crio.RemoveAsync(pod.Id);
    }

    private Task<string[]> ExecAsync(params string[] program) =>
        _crio.ExecSyncAsync(_crio.App, CriOPod.ProcessOf(_crio.AppBundle, terminal: false, program));

    private async Task<string> LimitAsync(string id, string bundle) =>
        (await _crio.ExecSyncAsync(id, CriOPod.ProcessOf(bundle, terminal: false, "cat", "/sys/fs/cgroup/memory.max")))[0];

    // As internal/oci/runtime_oci.go: the whole document on standard input.
    private Task<CommandResult> UpdateAsync(string id, long memory) => _crio.CallAsync(
        System.Text.Encoding.UTF8.GetBytes($$"""{"memory":{"limit":{{memory}},"swap":{{memory}} },"cpu":{} }"""),
        "update", "--resources", "-", id);
}
