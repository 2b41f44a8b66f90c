using System.Text.Json;
using Kata.Agent.Containers;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Protocol.Oci;
using Kata.Agent.Specifications;
using LinuxSpec = Kata.Agent.Protocol.Oci.Linux;

namespace Kata.Agent.Tests;

public sealed class SpecJsonTests
{
    private static readonly SpecContext s_plain = new() { CgroupPath = "/kata/c1", SharedNamespaces = new Dictionary<string, string>() };

    private static readonly SpecContext s_pod = new()
    {
        CgroupPath = "/kata/c1",
        SharedNamespaces = new Dictionary<string, string>
        {
            ["uts"] = "/run/sandbox-ns/uts",
            ["ipc"] = "/run/sandbox-ns/ipc",
            ["pid"] = "/run/sandbox-ns/pid",
        },
    };

    [Fact]
    public void Write_SpecOfANewerVersion_HasWhatCrunNeeds()
    {
        JsonElement root = Json(new Spec { Version = "1.2.1" }, s_plain);
        Assert.Equal("1.0.2", root.GetProperty("ociVersion").GetString());
        Assert.Equal("/", root.GetProperty("process").GetProperty("cwd").GetString());
        Assert.Equal("/kata/c1", root.GetProperty("linux").GetProperty("cgroupsPath").GetString());
        Assert.Equal(["mount", "pid"], Namespaces(root).Keys.Order());
    }

    [Fact]
    public void Write_Process_KeepsEveryValue()
    {
        var process = new Process { Cwd = "/w", NoNewPrivileges = true, OOMScoreAdj = -5, User = new User { UID = 1, GID = 2 } };
        process.Args.Add(["a", "b \"c\"", "ü\u0001"]);
        process.Env.Add("X=1");
        process.User.AdditionalGids.Add([7, 8]);
        process.Capabilities = new LinuxCapabilities();
        process.Capabilities.Bounding.Add("CAP_KILL");
        process.Rlimits.Add(new POSIXRlimit { Type = "RLIMIT_NOFILE", Hard = ulong.MaxValue, Soft = 10 });
        using JsonDocument document = JsonDocument.Parse(ProcessJson.Write(process, null));
        JsonElement json = document.RootElement;
        Assert.Equal(["a", "b \"c\"", "ü\u0001"], json.GetProperty("args").EnumerateArray().Select(static item => item.GetString()));
        Assert.Equal(-5, json.GetProperty("oomScoreAdj").GetInt32());
        Assert.Equal(
            [7, 8], json.GetProperty("user").GetProperty("additionalGids").EnumerateArray().Select(static item => item.GetInt32()));
        Assert.Equal(ulong.MaxValue, json.GetProperty("rlimits")[0].GetProperty("hard").GetUInt64());
        Assert.Equal(0, json.GetProperty("capabilities").GetProperty("ambient").GetArrayLength());
        Assert.True(json.GetProperty("noNewPrivileges").GetBoolean());
    }

    [Fact]
    public void Write_SharedNamespaces_JoinsByPath()
    {
        JsonElement root = Json(WithNamespaces("uts", "ipc", "network", "cgroup"), s_pod);
        Dictionary<string, string?> namespaces = Namespaces(root);
        Assert.Equal("/run/sandbox-ns/uts", namespaces["uts"]);
        Assert.Equal("/run/sandbox-ns/ipc", namespaces["ipc"]);
        Assert.Null(namespaces["cgroup"]);
        Assert.Null(namespaces["pid"]);
        Assert.DoesNotContain("network", namespaces.Keys);
    }

    [Theory]
    [InlineData(true, "/run/sandbox-ns/pid")]
    [InlineData(false, null)]
    public void Write_PidNamespace_SharedOnlyWhenAsked(bool join, string? expected)
    {
        Assert.Equal(expected, Namespaces(Json(new Spec(), s_pod with { JoinPidNamespace = join }))["pid"]);
        Assert.Equal(expected, Namespaces(Json(WithNamespaces("pid"), s_pod with { JoinPidNamespace = join }))["pid"]);
    }

    [Fact]
    public void Write_HostnameWithoutUtsNamespace_IsLeftOut()
    {
        Assert.False(Json(new Spec { Hostname = "h" }, s_plain).TryGetProperty("hostname", out _));
        Spec spec = WithNamespaces("uts");
        spec.Hostname = "h";
        Assert.Equal("h", Json(spec, s_plain).GetProperty("hostname").GetString());
    }

    [Fact]
    public void Write_NoDeviceRules_DeniesAll()
    {
        JsonElement rule = Assert.Single(
            Json(new Spec(), s_plain).GetProperty("linux").GetProperty("resources").GetProperty("devices").EnumerateArray());
        Assert.False(rule.GetProperty("allow").GetBoolean());
        Assert.False(rule.TryGetProperty("major", out _));
    }

    [Fact]
    public void Write_DeviceRules_NegativeNumbersMeanAll()
    {
        var spec = new Spec { Linux = new LinuxSpec { Resources = new LinuxResources() } };
        spec.Linux.Resources.Devices.Add(new LinuxDeviceCgroup { Allow = true, Type = "c", Major = 10, Minor = -1, Access = "rw" });
        spec.Linux.Resources.Devices.Add(new LinuxDeviceCgroup { Allow = true, Type = "a", Access = "rwm" });
        JsonElement rules = Json(spec, s_plain).GetProperty("linux").GetProperty("resources").GetProperty("devices");
        Assert.Equal(10, rules[0].GetProperty("major").GetInt32());
        Assert.False(rules[0].TryGetProperty("minor", out _));
        Assert.False(rules[1].TryGetProperty("major", out _));
    }

    [Fact]
    public void Write_AnnotationsAndLabels_DoNotReachCrun()
    {
        var spec = new Spec { Process = new Process { ApparmorProfile = "p", SelinuxLabel = "l" } };
        spec.Annotations["run.oci.handler"] = "krun";
        string text = System.Text.Encoding.UTF8.GetString(SpecJson.Write(spec, s_plain));
        Assert.DoesNotContain("run.oci", text);
        Assert.DoesNotContain("selinux", text);
        Assert.DoesNotContain("apparmor", text);
    }

    [Fact]
    public void Write_Extension_IsWrittenAsCrunTakesIt()
    {
        var extension = new ContainerExtension
        {
            Domainname = "example",
            Process = new ProcessExtension { Umask = 0 },
            Personality = new Personality { Domain = "LINUX32" },
            SeccompDefaultErrno = 38,
        };
        extension.Unified["memory.high"] = "max";
        var spec = new Spec { Linux = new LinuxSpec { Seccomp = new LinuxSeccomp { DefaultAction = "SCMP_ACT_ERRNO" } } };
        JsonElement root = Json(spec, s_plain with { Extension = extension });
        Assert.Equal("example", root.GetProperty("domainname").GetString());
        Assert.Equal(0, root.GetProperty("process").GetProperty("user").GetProperty("umask").GetInt32());
        JsonElement linux = root.GetProperty("linux");
        Assert.Equal("LINUX32", linux.GetProperty("personality").GetProperty("domain").GetString());
        Assert.Equal(38, linux.GetProperty("seccomp").GetProperty("defaultErrnoRet").GetInt32());
        Assert.Equal("max", linux.GetProperty("resources").GetProperty("unified").GetProperty("memory.high").GetString());
    }

    [Fact]
    public void Write_NamespacesOfTheExtension_DecideInsteadOfThePods()
    {
        SpecContext context = s_pod with
        {
            Extension = new ContainerExtension(),
            Namespaces = new Dictionary<string, string> { ["ipc"] = "/proc/9/ns/ipc", ["uts"] = "" },
        };
        Dictionary<string, string?> namespaces = Namespaces(Json(WithNamespaces("uts", "ipc"), context));
        Assert.Equal(["ipc", "mount", "pid", "uts"], namespaces.Keys.Order());
        Assert.Equal("/proc/9/ns/ipc", namespaces["ipc"]);
        Assert.Null(namespaces["uts"]);
    }

    [Fact]
    public void ToAttributes_Scheduler_AreTheKernelsNumbers()
    {
        Kata.Linux.Interop.SchedAttr attributes = ProcessScheduling.ToAttributes(
            new Scheduler
            {
                Policy = "SCHED_DEADLINE",
                Flags = { "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_DL_OVERRUN" },
                Runtime = 1,
                Deadline = 2,
                Period = 3,
            });
        Assert.Equal((48u, 6u, 5ul), (attributes.size, attributes.sched_policy, attributes.sched_flags));
        Assert.Equal((1ul, 2ul, 3ul), (attributes.sched_runtime, attributes.sched_deadline, attributes.sched_period));
    }

    [Fact]
    public void TakeFrom_Spec_LeavesTheHooksToUs()
    {
        var spec = new Spec { Version = "1.2.0", Process = new Process(), Hooks = new Hooks() };
        Assert.Null(StartContainerHooks.TakeFrom(spec, null));
        spec.Hooks.StartContainer.Add(new Hook { Path = "/h" });
        spec.Annotations["a"] = "b";
        StartContainerHooks hooks = StartContainerHooks.TakeFrom(spec, new ContainerExtension { Bundle = "/bundle" })!;
        Assert.Empty(spec.Hooks.StartContainer);
        Assert.Equal(
            """{"ociVersion":"1.2.0","id":"c1","status":"created","pid":1,"bundle":"/bundle","annotations":{"a":"b"}}""",
            System.Text.Encoding.UTF8.GetString(hooks.State("c1", 1)));
    }

    [Fact]
    public void Write_Sysctls_LeavesOutTheNetworks()
    {
        var spec = new Spec { Linux = new LinuxSpec() };
        spec.Linux.Sysctl["net.core.somaxconn"] = "1";
        spec.Linux.Sysctl["kernel.msgmax"] = "2";
        JsonProperty only = Assert.Single(Json(spec, s_plain).GetProperty("linux").GetProperty("sysctl").EnumerateObject());
        Assert.Equal("kernel.msgmax", only.Name);
    }

    [Fact]
    public void Write_Seccomp_KeepsErrnoZero()
    {
        var spec = new Spec { Linux = new LinuxSpec { Seccomp = new LinuxSeccomp { DefaultAction = "SCMP_ACT_ERRNO" } } };
        spec.Linux.Seccomp.Syscalls.Add(new LinuxSyscall { Action = "SCMP_ACT_ERRNO", Errnoret = 0 });
        spec.Linux.Seccomp.Syscalls.Add(new LinuxSyscall { Action = "SCMP_ACT_ALLOW" });
        JsonElement rules = Json(spec, s_plain).GetProperty("linux").GetProperty("seccomp").GetProperty("syscalls");
        Assert.Equal(0, rules[0].GetProperty("errnoRet").GetInt32());
        Assert.False(rules[1].TryGetProperty("errnoRet", out _));
    }

    [Fact]
    public void Write_MappingOfEveryNumber_IsInTwoLinesThatCrunKnowsForANamespaceOfItsOwn()
    {
        var spec = new Spec { Linux = new Kata.Agent.Protocol.Oci.Linux() };
        spec.Linux.UIDMappings.Add(new LinuxIDMapping { HostID = 0, ContainerID = 0, Size = uint.MaxValue });
        spec.Linux.GIDMappings.Add(new LinuxIDMapping { HostID = 5, ContainerID = 6, Size = 65536 });
        JsonElement linux = Json(spec, s_plain).GetProperty("linux");
        Assert.Equal(
            """[{"hostID":0,"containerID":0,"size":4294967294},{"hostID":4294967294,"containerID":4294967294,"size":1}]""",
            linux.GetProperty("uidMappings").GetRawText());
        Assert.Equal("""[{"hostID":5,"containerID":6,"size":65536}]""", linux.GetProperty("gidMappings").GetRawText());
    }

    private static Spec WithNamespaces(params string[] types)
    {
        var spec = new Spec { Linux = new LinuxSpec() };
        spec.Linux.Namespaces.Add(types.Select(static type => new LinuxNamespace { Type = type }));
        return spec;
    }

    private static JsonElement Json(Spec spec, SpecContext context)
    {
        using JsonDocument document = JsonDocument.Parse(SpecJson.Write(spec, context));
        return document.RootElement.Clone();
    }

    private static Dictionary<string, string?> Namespaces(JsonElement root) =>
        root.GetProperty("linux").GetProperty("namespaces").EnumerateArray().ToDictionary(
            static item => item.GetProperty("type").GetString()!,
            static item => item.TryGetProperty("path", out JsonElement path) ? path.GetString() : null);
}
