using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary>What <c>config.json</c> asks for is what the program finds: process, users, limits.</summary>
[Collection(ContainersGroup.Name)]
public sealed class SpecificationTests : IClassFixture<PodFixture>
{
    private readonly PodFixture _pod;

    public SpecificationTests(PodFixture pod)
    {
        RuntimeFixture.Require();
        _pod = pod;
    }

    [Fact]
    public async Task Hostname_Given_IsTheContainers() =>
        Assert.Equal("box", (await _pod.RunShellAsync("hostname", static bundle => bundle.Config["hostname"] = "box")).Ok().Text);

    [Fact]
    public async Task User_Numbers_AreTheProcesss()
    {
        CommandResult result = await _pod.RunShellAsync(
            "id -u; id -g; id -G",
            static bundle => bundle.Process["user"] = JsonNode.Parse("""{ "uid": 1000, "gid": 1001, "additionalGids": [5, 7] }"""));

        Assert.Equal(["1000", "1001", "1001 5 7"], result.Ok().Lines);
    }

    [Fact]
    public async Task Cwd_Given_IsTheProcesss() =>
        Assert.Equal("/tmp", (await _pod.RunShellAsync("pwd", static bundle => bundle.Process["cwd"] = "/tmp")).Ok().Text);

    [Fact]
    public async Task Env_Given_IsTheProcesssWithNothingAdded()
    {
        CommandResult result = await _pod.RunContainerAsync(_pod.NewPodBundle().Args("env").Edit(
            static bundle => bundle.Process["env"] = TestBundle.Array("PATH=/bin", "A=1", "EMPTY=", "SPACES= a b ", "UNICODE=ä€")));

        string[] added = [.. result.Ok().Lines.Except(["PATH=/bin", "A=1", "EMPTY=", "SPACES= a b ", "UNICODE=ä€"])];
        Assert.Equal(5, result.Lines.Length - added.Length);
        Assert.Empty(added.Except(["HOME=/root"])); // runc sets it too when it is missing
    }

    [Fact]
    public async Task Rlimits_Given_AreTheProcesss()
    {
        CommandResult result = await _pod.RunShellAsync(
            "ulimit -S -n; ulimit -H -n",
            static bundle => bundle.Process["rlimits"] = JsonNode.Parse("""[{ "type": "RLIMIT_NOFILE", "soft": 333, "hard": 4444 }]"""));

        Assert.Equal(["333", "4444"], result.Ok().Lines);
    }

    [Fact]
    public async Task Capabilities_Given_AreTheProcesss()
    {
        CommandResult result = await _pod.RunShellAsync("grep -E 'Cap(Eff|Bnd)' /proc/self/status", static bundle =>
            bundle.Process["capabilities"] = JsonNode.Parse(
                """{ "bounding": ["CAP_KILL", "CAP_CHOWN"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"] }"""));

        // CAP_CHOWN is bit 0, CAP_KILL bit 5: linux/capability.h. A program of uid 0 gains its bounding set at execve (capabilities(7)).
        Assert.Contains("CapBnd:\t0000000000000021", result.Ok().Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Capabilities_NoneAndNotRoot_ProcessHasNone()
    {
        CommandResult result = await _pod.RunShellAsync("grep -E 'Cap(Eff|Prm|Bnd)' /proc/self/status", static bundle =>
        {
            bundle.Process["user"] = JsonNode.Parse("""{ "uid": 1000, "gid": 1000 }""");
            bundle.Process["capabilities"] = new JsonObject();
        });

        Assert.Equal(["CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000"], result.Ok().Lines);
    }

    [Theory]
    [InlineData(true, "1")]
    [InlineData(false, "0")]
    public async Task NoNewPrivileges_SetOrNot_IsTheProcesss(bool set, string expected)
    {
        CommandResult result = await _pod.RunShellAsync(
            "grep NoNewPrivs /proc/self/status", bundle => bundle.Process["noNewPrivileges"] = set);

        Assert.Equal($"NoNewPrivs:\t{expected}", result.Ok().Text);
    }

    [Fact]
    public async Task Seccomp_MkdirForbidden_FailsWithThatErrno()
    {
        CommandResult result = await _pod.RunShellAsync("mkdir /tmp/forbidden", static bundle => bundle.Linux["seccomp"] = JsonNode.Parse(
            """
            {
              "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
              "syscalls": [{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1 }]
            }
            """));

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("Operation not permitted", result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_pod.RootFs, "tmp/forbidden")));
    }

    [Fact]
    public async Task Memory_Limited_IsTheLimitOfTheGuestsCgroup()
    {
        CommandResult result = await _pod.RunShellAsync(
            "cat /sys/fs/cgroup/memory.max; cat /sys/fs/cgroup/pids.max",
            static bundle =>
                bundle.Linux["resources"] = JsonNode.Parse("""{ "memory": { "limit": 67108864 }, "pids": { "limit": 33 } }"""));

        Assert.Equal(["67108864", "33"], result.Ok().Lines);
    }

    [Fact]
    public async Task Memory_Exceeded_EndsTheProgramOnly()
    {
        CommandResult result = await _pod.RunShellAsync(
            "tail /dev/zero",
            static bundle => bundle.Linux["resources"] = JsonNode.Parse("""{ "memory": { "limit": 33554432 } }"""));

        Assert.Equal(137, result.ExitCode);
        (await _pod.ExecAsync(_pod.PodId, "true")).Ok();
    }

    [Fact]
    public async Task OomScoreAdj_Given_IsTheProcesss() => Assert.Equal(
        "100", (await _pod.RunShellAsync("cat /proc/self/oom_score_adj", static bundle => bundle.Process["oomScoreAdj"] = 100)).Ok().Text);

    [Fact]
    public async Task Devices_None_OnlyTheUsualOnesExist()
    {
        CommandResult result = await _pod.RunShellAsync(
            "for d in null zero full random urandom tty; do test -c /dev/$d || echo $d; done; ls /dev | grep -E 'vd|sd|vport|kmsg'; true");

        Assert.Equal("", result.Ok().Text);
    }
}
