using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;
using Kata.Linux;

namespace Kata.Integration.Tests.Containers;

/// <summary>Rarer fields of <c>config.json</c>, as the program and an exec in its container find them.</summary>
[Collection(ContainersGroup.Name)]
public sealed class GuestFieldTests : IClassFixture<PodFixture>
{
    private const string DefaultProfile = "/usr/share/containers/seccomp.json";

    private readonly PodFixture _pod;

    public GuestFieldTests(PodFixture pod)
    {
        RuntimeFixture.Require();
        _pod = pod;
    }

    [Theory]
    [InlineData(28, "No space left on device")]
    [InlineData(null, "Operation not permitted")]
    public async Task SeccompDefaultErrnoRet_OfWhatNoRuleNames_IsTheErrno(int? errno, string expected)
    {
        Assert.SkipUnless(File.Exists(DefaultProfile), $"needs {DefaultProfile} (Debian: golang-github-containers-common)");
        // Every system call that this list knows but one.
        string profile = await File.ReadAllTextAsync(DefaultProfile, TestContext.Current.CancellationToken);
        string[] names =
            [.. JsonNode.Parse(profile)!["syscalls"]!.AsArray().SelectMany(static rule => rule!["names"]!.AsArray())
                .Select(static name => name!.GetValue<string>())
                .Distinct()
                .Except(["mkdir", "mkdirat"])];
        CommandResult result = await _pod.RunShellAsync("mkdir /tmp/forbidden; true", bundle =>
        {
            bundle.Linux["seccomp"] = new JsonObject
            {
                ["defaultAction"] = "SCMP_ACT_ERRNO",
                ["architectures"] = TestBundle.Array("SCMP_ARCH_X86_64"),
                ["syscalls"] = new JsonArray(new JsonObject { ["names"] = TestBundle.Array(names), ["action"] = "SCMP_ACT_ALLOW" }),
            };
            if (errno is { } number)
            {
                bundle.Linux["seccomp"]!["defaultErrnoRet"] = number;
            }
        });

        Assert.Equal(0, result.ExitCode);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CpuBurst_Given_IsTheGroups() => Assert.Equal(
        ["50000 100000", "20000"],
        (await _pod.RunShellAsync("cd /sys/fs/cgroup; cat cpu.max cpu.max.burst", static bundle =>
            bundle.Linux["resources"] = JsonNode.Parse("""{ "cpu": { "quota": 50000, "period": 100000, "burst": 20000 } }""")))
            .Ok().Lines);

    [Fact]
    public async Task CpuIdle_Given_IsTheGroups() => Assert.Equal(
        "1",
        (await _pod.RunShellAsync("cat /sys/fs/cgroup/cpu.idle", static bundle =>
            bundle.Linux["resources"] = JsonNode.Parse("""{ "cpu": { "idle": 1 } }"""))).Ok().Text);

    [Fact]
    public async Task Kmsg_AllowedDevice_IsTheGuestsLog()
    {
        CommandResult result = await _pod.RunShellAsync(
            "stat -c '%a %t %T' /dev/kmsg; "
            + "echo hello-from-the-container > /dev/kmsg && timeout 30 grep -m1 -c hello-from-the-container /dev/kmsg",
            static bundle =>
            {
                WithDevice(bundle, """{ "path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11, "fileMode": 432 }""");
                foreach (string set in new[] { "bounding", "effective", "permitted" })
                {
                    bundle.Process["capabilities"]![set]!.AsArray().Add("CAP_SYSLOG");
                }
            });

        Assert.Equal(["660 1 b", "1"], result.Lines);
    }

    [Fact]
    public async Task Fuse_AllowedDevice_CanBeOpened() => Assert.Equal(
        ["666 a e5", "open"],
        (await _pod.RunShellAsync("stat -c '%a %t %T' /dev/fuse; exec 3<>/dev/fuse && echo open", static bundle =>
            WithDevice(bundle, """{ "path": "/dev/fuse", "type": "c", "major": 10, "minor": 229 }"""))).Ok().Lines);

    [Fact]
    public async Task Fuse_NotAllowed_CannotBeOpened() => Assert.Contains(
        "Operation not permitted",
        (await _pod.RunShellAsync("exec 3<>/dev/fuse", static bundle =>
            bundle.Linux["devices"] = JsonNode.Parse("""[{ "path": "/dev/fuse", "type": "c", "major": 10, "minor": 229 }]"""))).Error,
        StringComparison.Ordinal);

    [Fact]
    public async Task ConsoleSize_Given_IsTheTerminalsOnBothSides()
    {
        using var socket = new ConsoleSocket(Path.Combine(_pod.NewDirectory("console"), "socket"));
        string id = _pod.NewId();
        string bundle = _pod.NewPodBundle().Shell("stty size; exec sleep 1000").Edit(static bundle =>
        {
            bundle.Process["terminal"] = true;
            bundle.Process["consoleSize"] = JsonNode.Parse("""{ "height": 31, "width": 97 }""");
        }).Write();
        Task<CommandResult> create = _pod.RunAsync("create", "--console-socket", socket.Path, "--bundle", bundle, id);
        await using Pseudoterminal terminal = await socket.ReceiveAsync();
        (await create).Ok();
        Assert.Equal(new TerminalSize(31, 97), terminal.Size);
        (await _pod.RunAsync("start", id)).Ok();
        await terminal.ExpectAsync("31 97");
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task DomainnamePersonalityAndUmask_Given_AreTheProgramsAndAnExecs()
    {
        const string Script = "cat /proc/sys/kernel/domainname; uname -m; umask";
        string id = _pod.NewId();
        TestBundle bundle = _pod.NewPodBundle().Shell($"{Script}; exec sleep 1000");
        bundle.Config["domainname"] = "example.org";
        bundle.Linux["personality"] = JsonNode.Parse("""{ "domain": "LINUX32" }""");
        bundle.Process["user"]!["umask"] = 23;
        using RunningCommand run = _pod.Start("run", "--bundle", bundle.Write(), id);
        byte[] said = new byte["example.org\ni686\n0027\n".Length];
        await run.Output.ReadExactlyAsync(said, TestContext.Current.CancellationToken).AsTask().WaitAsync(RuntimeFixture.Limit);
        Assert.Equal("example.org\ni686\n0027\n", System.Text.Encoding.UTF8.GetString(said));

        string[] exec = (await _pod.ExecShellAsync(id, Script)).Ok().Lines;
        Assert.Equal(("example.org", "0027"), (exec[0], exec[2]));

        JsonNode process = bundle.Process.DeepClone();
        process["args"] = TestBundle.Array("sh", "-c", "umask");
        process["user"]!["umask"] = 63;
        string file = Path.Combine(bundle.Directory, "process.json");
        await File.WriteAllTextAsync(file, process.ToJsonString(), TestContext.Current.CancellationToken);
        Assert.Equal("0077", (await _pod.RunAsync("exec", "--process", file, id)).Ok().Text);
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task TimeNamespace_WithOffsets_IsTheProgramsAndAnExecs()
    {
        string id = await _pod.StartSleeperAsync(bundle =>
        {
            bundle.InPod(_pod.PodId).Config["ociVersion"] = "1.1.0";
            bundle.Linux["namespaces"]!.AsArray().Add(JsonNode.Parse("""{ "type": "time" }"""));
            bundle.Linux["timeOffsets"] = JsonNode.Parse(
                """{ "monotonic": { "secs": 7 }, "boottime": { "secs": 9000000, "nanosecs": 5 } }""");
        });

        const string Script = "sed 's/  */ /g' /proc/self/timens_offsets; cut -d. -f1 /proc/uptime; "
            + "sed -n 's/SigIgn:.//p' /proc/1/status; readlink /proc/1/ns/time; readlink /proc/self/ns/time";
        string[] lines = (await _pod.ExecShellAsync(id, Script)).Ok().Lines;
        Assert.Equal(["monotonic 7 0", "boottime 9000000 5"], lines[..2]);
        Assert.InRange(long.Parse(lines[2], System.Globalization.CultureInfo.InvariantCulture), 9_000_000, 9_010_000);
        Assert.Equal("0000000000000000", lines[3]); // nothing of the step between is left
        Assert.Equal(lines[4], lines[5]); // an exec is in the same namespace

        string pod = (await _pod.ExecShellAsync(_pod.PodId, "cut -d. -f1 /proc/uptime")).Ok().Text;
        Assert.InRange(long.Parse(pod, System.Globalization.CultureInfo.InvariantCulture), 0, 10_000);
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task TimeNamespace_ClockBelowZero_IsRefusedWithTheReason()
    {
        CommandResult result = await _pod.RunShellAsync("true", static bundle =>
        {
            bundle.Linux["namespaces"]!.AsArray().Add(JsonNode.Parse("""{ "type": "time" }"""));
            bundle.Linux["timeOffsets"] = JsonNode.Parse("""{ "monotonic": { "secs": -9000000 } }""");
        });

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("cannot set the clocks: ", result.Error, StringComparison.Ordinal);
    }

    private static void WithDevice(TestBundle bundle, string device)
    {
        JsonNode node = JsonNode.Parse(device)!;
        bundle.Linux["devices"] = new JsonArray(node);
        bundle.Linux["resources"]!["devices"]!.AsArray().Add(new JsonObject
        {
            ["allow"] = true,
            ["type"] = "c",
            ["major"] = node["major"]!.DeepClone(),
            ["minor"] = node["minor"]!.DeepClone(),
            ["access"] = "rwm",
        });
    }
}
