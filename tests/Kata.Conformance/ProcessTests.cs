using System.Text.Json.Nodes;
using Kata.Conformance.Harness;
using Kata.Integration.Tests.Harness;

namespace Kata.Conformance;

/// <summary>config.md: process.</summary>
public sealed class ProcessTests
{
    public static TheoryData<string> Runtimes => OciRuntime.Names;

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Process_OfRoot_IsAsConfigured(string runtime)
    {
        const string Script = """
            echo "cwd=$(pwd)"; echo "args=$0|$1|$2"; echo "env=$GIVEN|$EMPTY|$(env | wc -l)"; echo "ids=$(id -u):$(id -g):$(id -G)"
            echo "umask=$(umask)"; echo "nofile=$(ulimit -S -n):$(ulimit -H -n)"; echo "core=$(ulimit -H -c)"
            echo "oom=$(cat /proc/self/oom_score_adj)"; echo "nnp=$(sed -n 's/NoNewPrivs:.//p' /proc/self/status)"
            echo "bounding=$(sed -n 's/CapBnd:.//p' /proc/self/status)"; echo "terminal=$(test -t 0 && echo yes || echo no)"
            exit 5
            """;
        await using ConformanceCase on = ConformanceCase.Begin(runtime, "Process");
        TestBundle bundle = on.NewBundle().Args("sh", "-c", Script, "zero", "first word", "");
        bundle.Process["cwd"] = "/tmp";
        bundle.Process["env"] = TestBundle.Array("PATH=/bin", "GIVEN=a b=c", "EMPTY=");
        bundle.Process["user"] = JsonNode.Parse("""{ "uid": 0, "gid": 7, "umask": 23, "additionalGids": [5, 9] }""");
        bundle.Process["rlimits"] = JsonNode.Parse(
            """[{ "type": "RLIMIT_NOFILE", "soft": 333, "hard": 400 }, { "type": "RLIMIT_CORE", "soft": 0, "hard": 0 }]""");
        bundle.Process["oomScoreAdj"] = 100;
        bundle.Process["capabilities"] = JsonNode.Parse(
            """{ "bounding": ["CAP_KILL", "CAP_CHOWN"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"] }""");
        CommandResult result = await on.RunContainerAsync(bundle);
        var values = result.Lines
            .Select(static line => line.Split('=', 2))
            .Where(static pair => pair.Length == 2)
            .ToDictionary(static pair => pair[0], static pair => pair[1]);

        on.That("run ends with the program's status", result.ExitCode == 5, $"{result.ExitCode} {result.Error}");
        on.Same("cwd", values, "cwd", "/tmp");
        on.Same("args with spaces and empty words", values, "args", "zero|first word|");
        on.That(
            "env",
            values.GetValueOrDefault("env")?.StartsWith("a b=c||", StringComparison.Ordinal) ?? false,
            values.GetValueOrDefault("env"));
        on.Same("user.uid, gid and additionalGids", values, "ids", "0:7:7 5 9");
        on.Same("user.umask", values, "umask", "0027");
        on.Same("rlimits, soft and hard", values, "nofile", "333:400");
        on.Same("rlimits of zero", values, "core", "0");
        on.Same("oomScoreAdj", values, "oom", "100");
        on.Same("noNewPrivileges", values, "nnp", "1");
        on.Same("capabilities.bounding", values, "bounding", "0000000000000021");
        on.Same("no terminal unless asked for", values, "terminal", "no");
        on.Finish();
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Process_OfAUser_IsAsConfigured(string runtime)
    {
        await using ConformanceCase on = ConformanceCase.Begin(runtime, "Process");
        TestBundle bundle = on.NewBundle("1.1.0");
        bundle.Process["user"] = JsonNode.Parse("""{ "uid": 1000, "gid": 1000 }""");
        bundle.Process["noNewPrivileges"] = false;
        bundle.Process["capabilities"] = JsonNode.Parse(
            """
            {
              "bounding": ["CAP_KILL", "CAP_CHOWN"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"],
              "inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"]
            }
            """);
        bundle.Process["scheduler"] = JsonNode.Parse("""{ "policy": "SCHED_BATCH", "nice": 5 }""");
        bundle.Process["ioPriority"] = JsonNode.Parse("""{ "class": "IOPRIO_CLASS_BE", "priority": 3 }""");
        IReadOnlyDictionary<string, string> values = await on.RunScriptAsync(bundle, """
            for set in Inh Prm Eff Bnd Amb; do echo "$set=$(sed -n "s/Cap$set:.//p" /proc/self/status)"; done
            echo "nnp=$(sed -n 's/NoNewPrivs:.//p' /proc/self/status)"; echo "scheduler=$(cut -d' ' -f41,19 /proc/self/stat)"
            echo "io=$(busybox ionice -p $$)"; echo "uid=$(id -u)"
            """);

        on.Same("user.uid that is not root", values, "uid", "1000");
        foreach ((string name, string expected) in new[] { ("Inh", "20"), ("Prm", "20"), ("Eff", "20"), ("Bnd", "21"), ("Amb", "20") })
        {
            on.Same($"capabilities of a user: {name}", values, name, expected.PadLeft(16, '0'));
        }

        on.Same("noNewPrivileges false", values, "nnp", "0");
        on.Same("scheduler", values, "scheduler", "5 3");
        on.Same("ioPriority", values, "io", "best-effort: prio 3");
        on.Finish();
    }
}
