using System.Text.Json.Nodes;
using Kata.Conformance.Harness;
using Kata.Integration.Tests.Harness;

namespace Kata.Conformance;

/// <summary>config-linux.md: control groups. A limit is looked for where either version of cgroups has it.</summary>
public sealed class ResourceTests
{
    public static TheoryData<string> Runtimes => OciRuntime.Names;

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Resources_Limits_AreTheCgroups(string runtime)
    {
        await using ConformanceCase on = ConformanceCase.Begin(runtime, "Resources");
        TestBundle bundle = on.NewBundle();
        bundle.Linux["resources"] = JsonNode.Parse(
            """
            { "devices": [{ "allow": false, "access": "rwm" }, { "allow": true, "type": "c", "major": 1, "minor": 7, "access": "rw" }],
              "memory": { "limit": 67108864 }, "pids": { "limit": 33 }, "cpu": { "quota": 50000, "period": 100000, "shares": 512 } }
            """);
        bundle.Process["capabilities"]!["bounding"]!.AsArray().Add("CAP_MKNOD");
        bundle.Process["capabilities"]!["effective"]!.AsArray().Add("CAP_MKNOD");
        bundle.Process["capabilities"]!["permitted"]!.AsArray().Add("CAP_MKNOD");
        IReadOnlyDictionary<string, string> values = await on.RunScriptAsync(bundle, """
            cd /sys/fs/cgroup; first() { for f in "$@"; do if test -r $f; then cat $f; return; fi; done; }
            echo "memory=$(first memory.max memory/memory.limit_in_bytes)"; echo "pids=$(first pids.max pids/pids.max)"
            echo "quota=$(first cpu.max cpu/cpu.cfs_quota_us cpu,cpuacct/cpu.cfs_quota_us | cut -d' ' -f1)"
            echo "shares=$(first cpu.weight cpu/cpu.shares cpu,cpuacct/cpu.shares)"
            mknod /tmp/mem c 1 1; if head -c 1 /tmp/mem >/dev/null 2>&1; then echo mem=yes; else echo mem=no; fi
            mknod /tmp/full c 1 7; if head -c 1 /tmp/full >/dev/null 2>&1; then echo full=yes; else echo full=no; fi
            """);

        on.Same("memory.limit", values, "memory", "67108864");
        on.Same("pids.limit", values, "pids", "33");
        on.Same("cpu.quota", values, "quota", "50000");
        // 20 is the weight of version 2.
        on.That("cpu.shares", values.GetValueOrDefault("shares") is "512" or "20", values.GetValueOrDefault("shares"));
        on.Same("devices: what no rule allows cannot be opened", values, "mem", "no");
        on.Same("devices: what a rule allows can be opened", values, "full", "yes");
        on.Finish();
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Resources_Unified_IsWritten(string runtime)
    {
        await using ConformanceCase on = ConformanceCase.Begin(runtime, "Resources");
        TestBundle bundle = on.NewBundle();
        bundle.Linux["resources"] = JsonNode.Parse("""{ "unified": { "memory.high": "50331648" } }""");
        CommandResult result = await on.RunContainerAsync(bundle.Shell("cat /sys/fs/cgroup/memory.high"));
        on.That("unified", result.Text == "50331648", result.Text + result.Error);
        on.Finish();
    }
}
