using System.Text.Json.Nodes;
using Kata.Conformance.Harness;
using Kata.Integration.Tests.Harness;

namespace Kata.Conformance;

/// <summary>config-linux.md: namespaces, devices, sysctl, paths, personality, seccomp.</summary>
public sealed class LinuxTests
{
    /// <summary>
    /// What a process is in that nothing gave a namespace of its own, on every kernel: linux/proc_ns.h.
    /// A machine's are others than the host's in any case.
    /// </summary>
    private static readonly (string Name, string First)[] s_firstNamespaces =
        [("pid", "pid:[4026531836]"), ("ipc", "ipc:[4026531839]"), ("uts", "uts:[4026531838]"), ("cgroup", "cgroup:[4026531835]")];

    public static TheoryData<string> Runtimes => OciRuntime.Names;

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Linux_Environment_IsAsConfigured(string runtime)
    {
        await using ConformanceCase on = ConformanceCase.Begin(runtime, "Linux");
        TestBundle bundle = on.NewBundle();
        bundle.Config["hostname"] = "conformance";
        bundle.Linux["sysctl"] = JsonNode.Parse("""{ "kernel.msgmax": "9000" }""");
        bundle.Linux["maskedPaths"] = TestBundle.Array("/proc/kcore", "/masked", "/does/not/exist");
        bundle.Linux["readonlyPaths"] = TestBundle.Array("/proc/sys", "/home", "/does/not/exist");
        bundle.Linux["devices"] = JsonNode.Parse(
            """
            [
              { "path": "/dev/other", "type": "c", "major": 1, "minor": 3, "fileMode": 416, "uid": 5, "gid": 6 },
              { "path": "/dev/fifo", "type": "p" }
            ]
            """);
        string masked = Path.Combine(bundle.Directory, "rootfs/masked");
        Directory.CreateDirectory(masked);
        File.WriteAllText(Path.Combine(masked, "secret"), "x");
        IReadOnlyDictionary<string, string> values = await on.RunScriptAsync(bundle, """
            try() { if "$@" 2>/dev/null; then echo yes; else echo no; fi; }
            echo "pid=$$"; echo "processes=$(ls -d /proc/[0-9]* | wc -l)"
            echo "hostname=$(hostname)"; echo "sysctl=$(cat /proc/sys/kernel/msgmax)"
            for n in pid ipc uts cgroup; do echo "ns-$n=$(ls -l /proc/self/ns/$n | sed 's/.*-> //')"; done
            echo "mounts=$(cut -d' ' -f5 /proc/self/mountinfo | grep -vxE '/|/(proc|dev|sys)(/.*)?|/home|/masked' | tr '\n' ' ')"
            echo "interfaces=$(sed -n 's/:.*//p' /proc/net/dev | tr -d ' \n')"
            echo "kcore=$(cat /proc/kcore 2>/dev/null | head -c 10 | wc -c)"; echo "masked=$(ls /masked | wc -l)"
            echo "readonly=$(try touch /home/x)$(try sh -c 'echo 8192 > /proc/sys/kernel/msgmax')"
            echo "devices=$(for d in null zero full random urandom tty; do test -c /dev/$d || echo -n $d; done)"
            echo "links=$(for l in fd stdin stdout stderr ptmx; do test -L /dev/$l -o -c /dev/$l || echo -n $l; done)"
            echo "other=$(stat -c '%a %u %g %t %T' /dev/other)"; echo "fifo=$(try test -p /dev/fifo)"
            echo "null=$(try sh -c 'echo x > /dev/null')"
            """);

        on.Same("namespace pid: the program is process 1", values, "pid", "1");
        on.Same("namespace uts: hostname", values, "hostname", "conformance");
        foreach ((string name, string first) in s_firstNamespaces)
        {
            string ours = new FileInfo($"/proc/self/ns/{name}").LinkTarget ?? "";
            on.That(
                $"namespace {name} is the container's own",
                values.GetValueOrDefault($"ns-{name}", "") is { Length: > 0 } its && its != ours && its != first,
                values.GetValueOrDefault($"ns-{name}"));
        }

        // The first ones of these have no numbers of their own: what is in them tells.
        on.Same("namespace mnt is the container's own", values, "mounts", "");
        on.Same("namespace net is the container's own", values, "interfaces", "lo");
        on.Same("sysctl", values, "sysctl", "9000");
        on.Same("maskedPaths: a file reads as empty", values, "kcore", "0");
        on.Same("maskedPaths: a directory is empty", values, "masked", "0");
        on.Same("readonlyPaths", values, "readonly", "nono");
        on.Same("default devices", values, "devices", "");
        on.Same("/dev/fd, stdin, stdout, stderr and ptmx", values, "links", "");
        on.Same("devices: node with mode and owner", values, "other", "640 5 6 1 3");
        on.Same("devices: fifo", values, "fifo", "yes");
        on.Same("default devices can be used", values, "null", "yes");
        on.Finish();
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Linux_FieldsOfLaterVersions_AreAsConfigured(string runtime)
    {
        await using ConformanceCase on = ConformanceCase.Begin(runtime, "Linux, specification 1.1 and 1.2");
        TestBundle bundle = on.NewBundle("1.1.0");
        bundle.Config["domainname"] = "example.org";
        bundle.Linux["personality"] = JsonNode.Parse("""{ "domain": "LINUX32" }""");
        bundle.Linux["seccomp"] = JsonNode.Parse(
            """
            {
              "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
              "syscalls": [
                { "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28 },
                { "names": ["symlink", "symlinkat"], "action": "SCMP_ACT_ERRNO" },
                {
                  "names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28,
                  "args": [{ "index": 1, "value": 12, "op": "SCMP_CMP_EQ" }]
                }
              ]
            }
            """);
        IReadOnlyDictionary<string, string> values = await on.RunScriptAsync(bundle, """
            echo "domain=$(cat /proc/sys/kernel/domainname)"; echo "machine=$(uname -m)"
            echo "mkdir=$(mkdir /tmp/x 2>&1 | sed 's/.*: //')"; echo "symlink=$(busybox ln -s a /tmp/b 2>&1 | sed 's/.*: //')"
            echo "args=$(kill -12 $$ 2>&1 | sed 's/.*: //')"; echo "seccomp=$(sed -n 's/Seccomp:.//p' /proc/self/status)"
            """);

        on.Same("domainname", values, "domain", "example.org");
        on.Same("personality LINUX32", values, "machine", "i686");
        on.Same("seccomp: errnoRet", values, "mkdir", "No space left on device");
        on.Same("seccomp: errno without errnoRet is EPERM", values, "symlink", "Operation not permitted");
        on.Same("seccomp: a rule on an argument", values, "args", "No space left on device");
        on.Same("seccomp: the filter is on", values, "seccomp", "2");
        on.Finish();
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Linux_SeccompFlags_AreAccepted(string runtime)
    {
        await using ConformanceCase on = ConformanceCase.Begin(runtime, "Linux, specification 1.1 and 1.2");
        TestBundle bundle = on.NewBundle();
        bundle.Linux["seccomp"] = JsonNode.Parse(
            """
            {
              "defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG"],
              "syscalls": [{ "names": ["mkdir"], "action": "SCMP_ACT_ERRNO" }]
            }
            """);
        CommandResult result = await on.RunContainerAsync(bundle.Shell("sed -n 's/Seccomp:.//p' /proc/self/status"));
        on.That("seccomp: flags", result.Text == "2", result.Text + result.Error);
        on.Finish();
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Linux_TimeNamespace_HasItsOffsets(string runtime)
    {
        await using ConformanceCase on = ConformanceCase.Begin(runtime, "Linux, specification 1.1 and 1.2");
        TestBundle bundle = on.NewBundle("1.1.0");
        bundle.Linux["namespaces"]!.AsArray().Add(JsonNode.Parse("""{ "type": "time" }"""));
        bundle.Linux["timeOffsets"] = JsonNode.Parse(
            """{ "monotonic": { "secs": 7, "nanosecs": 0 }, "boottime": { "secs": 9000000, "nanosecs": 5 } }""");
        CommandResult result =
            await on.RunContainerAsync(bundle.Shell("sed 's/  */ /g' /proc/self/timens_offsets; cut -d. -f1 /proc/uptime"));
        on.That(
            "timeOffsets",
            result.Lines is [_, _, string uptime] && long.TryParse(uptime, out long seconds) && seconds > 9_000_000,
            result.Text + result.Error);
        on.Finish();
    }
}
