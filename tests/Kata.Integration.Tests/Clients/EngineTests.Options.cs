using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Clients;

/// <summary>Options that change what the container is made of.</summary>
public abstract partial class EngineTests
{
    private const string NoMkdir = """
        { "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
          "syscalls": [{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 100 }] }
        """;

    [Fact]
    public async Task Run_InitSeccompAndCapabilities_AreTheContainers()
    {
        string profile = Path.Combine(_engine.NewDirectory("seccomp"), "profile.json");
        await File.WriteAllTextAsync(profile, NoMkdir, TestContext.Current.CancellationToken);
        const string Script = "echo $$; mkdir /tmp/x; grep -E '^(CapEff|Seccomp):' /proc/self/status | cut -f 2; "
            + "cat /proc/1/cmdline | tr '\\0' ' '; ulimit -n";

        CommandResult result = await _engine.RunContainerAsync(
            ["--init", "--cap-add", "SYS_PTRACE", "--security-opt", $"seccomp={profile}"], "sh", "-c", Script);

        string[] lines = result.Ok().Lines;
        Assert.NotEqual("1", lines[0]);
        Assert.Contains("Network is down", result.Error, StringComparison.Ordinal); // 100 is ENETDOWN
        Assert.NotEqual(0ul, Convert.ToUInt64(lines[1], 16) & (1ul << 19)); // CAP_SYS_PTRACE
        Assert.NotEqual(0ul, Convert.ToUInt64(lines[1], 16) & 1); // the engine's own set is still there
        Assert.Equal("2", lines[2]);
        Assert.Contains("init", lines[3], StringComparison.Ordinal);
        Assert.True(DefaultOpenFiles is null || lines[3].EndsWith($" {DefaultOpenFiles}", StringComparison.Ordinal), lines[3]);
    }

    [Fact]
    public async Task Run_Devices_ThoseOfEveryKernelAreThereAndOthersRefused()
    {
        CommandResult result = await _engine.RunContainerAsync(
            ["--device", "/dev/fuse", "--device", "/dev/null:/dev/other"],
            "sh", "-c", "stat -c '%n %F %t %T' /dev/fuse /dev/other; echo x > /dev/other && echo written");
        CommandResult refused = await _engine.RunContainerAsync(["--device", "/dev/loop0"], "true");

        Assert.Equal(["/dev/fuse character special file a e5", "/dev/other character special file 1 3", "written"], result.Ok().Lines);
        Assert.InRange(refused.ExitCode, 125, 127);
        Assert.Contains(
            "'/dev/loop0' is a device of the host, which the guest does not have. Remove it", refused.Error, StringComparison.Ordinal);
        await _engine.AssertCleanAsync();
    }

    [Fact]
    public async Task Stop_WithASignalOfItsOwn_SendsItAndWaits()
    {
        const string Script =
            "trap 'echo asked; sleep 2; echo done; exit 6' USR1; trap 'exit 1' TERM; echo up; while :; do sleep 1 & wait $!; done";
        string name = await _engine.StartContainerAsync(["--stop-signal", "USR1"], "sh", "-c", Script);
        await UntilAsync(async () => (await _engine.EngineAsync("logs", name)).Text == "up", "the trap is set");

        (await _engine.EngineAsync("stop", "--time", "60", name)).Ok();

        Assert.Equal("exited 6", await StatusAndCodeAsync(name));
        Assert.Equal("up\nasked\ndone", (await _engine.EngineAsync("logs", name)).Ok().Text);
        (await _engine.RemoveAsync(name)).Ok();
    }

    /// <summary>What an engine gives containers when nobody asks; null: it leaves it to the runtime.</summary>
    private protected virtual string? DefaultOpenFiles => null;

    /// <summary>Waits until an engine's command shows something; the engines tell by nothing else.</summary>
    private protected static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(RuntimeFixture.Limit);
        while (!await condition())
        {
            Assert.False(limit.IsCancellationRequested, $"waited too long until {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), CancellationToken.None);
        }
    }
}
