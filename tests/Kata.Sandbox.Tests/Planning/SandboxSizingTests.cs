using Kata.Configuration;
using Kata.Oci;

namespace Kata.Sandbox.Tests;

public sealed class SandboxSizingTests
{
    private const long Mib = 1 << 20;
    private const string Prefix = "io.kubernetes.cri.sandbox-";

    private static readonly HypervisorConfig s_hypervisor = KataConfiguration.Load(new ConfigurationSources
    {
        SearchPaths = [],
        InstallPrefix = "/usr/local",
        HostCpuCount = 8,
        HostMemoryMib = 8192,
    }).Hypervisor;

    [Theory]
    [InlineData("0", "100000", "0", 1, 2048)]
    [InlineData("-1", "100000", "-1", 1, 2048)]
    [InlineData("220000", "100000", "1048576", 4, 2049)]
    [InlineData("50000", "100000", "268435457", 2, 2305)]
    [InlineData("50000", "0", "0", 2, 2048)] // the kernel's own period
    [InlineData("150000", null, null, 3, 2048)]
    public void Plan_AnnotationsOfContainerd_AreAdded(string quota, string? period, string? memory, int vcpus, int memoryMib)
    {
        SandboxSize size = Plan(Pod(("cpu-quota", quota), ("cpu-period", period), ("memory", memory), ("cpu-shares", "2")));
        Assert.Equal((vcpus, memoryMib), (size.Vcpus, size.MemoryMib));
        Assert.Empty(size.Warnings);
    }

    [Theory]
    [InlineData("io.kubernetes.cri-o.PodLinuxResources")]
    [InlineData("pod-linux-resources.crio.io")]
    public void Plan_DocumentOfCrio_IsAdded(string name)
    {
        var annotations = new Dictionary<string, string>
        {
            ["io.kubernetes.cri-o.ContainerType"] = "sandbox",
            [name] = """{"cpu_period":100000,"cpu_quota":250000,"cpu_shares":1024,"memory_limit_in_bytes":134217728,"unified":{"a":"b"}}""",
        };
        SandboxSize size = Plan(Spec(null, annotations));
        Assert.Equal((4, 2048 + 128), (size.Vcpus, size.MemoryMib));
        Assert.Equal(1, Plan(Spec(null, new Dictionary<string, string>(annotations) { [name] = "{}" })).Vcpus);
    }

    [Theory]
    [InlineData("cpu-quota", "a lot", "a lot")]
    [InlineData("cpu-period", "1e5", "1e5")]
    [InlineData("memory", "128Mi", "128Mi")]
    [InlineData("memory", "-2", "-2")]
    [InlineData("memory", "9223372036854775808", "9223372036854775808")]
    [InlineData("cpu-quota", "", "")]
    public void Plan_AnnotationThatIsNoNumber_IsRefusedByName(string name, string value, string shown)
    {
        InvalidSpecException error = Assert.Throws<InvalidSpecException>(() => Plan(Pod((name, value))));
        Assert.Contains(Prefix + name, error.Message, StringComparison.Ordinal);
        Assert.Contains($"'{shown}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("It must be a whole number", error.Message, StringComparison.Ordinal);
    }

    /// <summary>What CRI-O writes for a pod whose client names no limits, and the name of the next release beside it.</summary>
    [Theory]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"cpu_quota":null,"memory_limit_in_bytes":null}""")]
    public void Plan_DocumentThatNamesNoLimit_IsNone(string document)
    {
        var annotations = new Dictionary<string, string>
        {
            ["io.kubernetes.cri-o.ContainerType"] = "sandbox",
            ["io.kubernetes.cri-o.PodLinuxResources"] = document,
        };
        Assert.Equal((1, 2048), (Plan(Spec(null, annotations)).Vcpus, Plan(Spec(null, annotations)).MemoryMib));
        annotations["pod-linux-resources.crio.io"] = "null";
        annotations["io.kubernetes.cri-o.PodLinuxResources"] = """{"cpu_quota":200000}""";
        Assert.Equal(3, Plan(Spec(null, annotations)).Vcpus);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("""{"cpu_quota":"x"}""")]
    public void Plan_DocumentThatIsNone_IsRefusedByName(string document)
    {
        var annotations = new Dictionary<string, string>
        {
            ["io.kubernetes.cri-o.ContainerType"] = "sandbox",
            ["io.kubernetes.cri-o.PodLinuxResources"] = document,
        };
        Assert.Contains(
            "memory_limit_in_bytes", Assert.Throws<InvalidSpecException>(() => Plan(Spec(null, annotations))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_AnnotationsAndOwnLimits_ThePodsCount()
    {
        RuntimeSpec spec = Pod(("cpu-quota", "300000"), ("memory", $"{256 * Mib}")) with
        {
            Linux = new LinuxSpec
            {
                Resources = new LinuxResources { Cpu = new LinuxCpu { Quota = 100_000 }, Memory = new LinuxMemory { Limit = Mib } },
            },
        };
        Assert.Equal((4, 2048 + 256), (Plan(spec).Vcpus, Plan(spec).MemoryMib));
        RuntimeSpec without = spec with { Annotations = Pod(("cpu-quota", "0"), ("memory", "0")).Annotations };
        Assert.Equal((2, 2048 + 1), (Plan(without).Vcpus, Plan(without).MemoryMib));
    }

    [Fact]
    public void Plan_AnnotationsOfAPodOnASingleContainer_AreNotItsOwn() =>
        Assert.Equal(1, Plan(Spec(null, new Dictionary<string, string> { [Prefix + "cpu-quota"] = "400000" })).Vcpus);

    [Theory]
    [InlineData(0.5, 50_000L, 1)]
    [InlineData(0.5, 60_000L, 2)]
    [InlineData(1.2, null, 2)]
    [InlineData(1.0, 1_000L, 2)]
    public void Plan_Fractions_AreAddedBeforeTheyAreRoundedUp(double configured, long? quota, int vcpus)
    {
        RuntimeSpec spec = Spec(new LinuxResources { Cpu = new LinuxCpu { Quota = quota, Period = 100_000 } });
        Assert.Equal(vcpus, SandboxSizing.Plan(s_hypervisor with { Vcpus = configured }, spec).Vcpus);
    }

    [Theory]
    [InlineData("0", null, 2)]
    [InlineData("0-2,4", null, 5)]
    [InlineData("0-2,1-3, 2 ,", null, 5)]
    [InlineData("0-3", 100_000L, 2)] // a quota says more than a set
    [InlineData("0-3", -1L, 5)]
    [InlineData("", null, 1)]
    [InlineData("0-65535", null, 8)]
    public void Plan_SetOfProcessors_CountsWithoutAQuota(string set, long? quota, int vcpus) =>
        Assert.Equal(vcpus, Plan(Spec(new LinuxResources { Cpu = new LinuxCpu { Cpus = set, Quota = quota } })).Vcpus);

    [Theory]
    [InlineData("3-1")]
    [InlineData("1-")]
    [InlineData("-1")]
    [InlineData("0-4294967295")]
    [InlineData("1-2-3")]
    [InlineData("x")]
    public void Plan_SetThatIsNone_IsRefused(string set) => Assert.Contains(
        "/linux/resources/cpu/cpus",
        Assert.Throws<InvalidSpecException>(() => Plan(Spec(new LinuxResources { Cpu = new LinuxCpu { Cpus = set } }))).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Plan_BeyondTheMaximum_IsCutWithAWarning()
    {
        SandboxSize size = Plan(Pod(("cpu-quota", "800000"), ("memory", $"{7000 * Mib}")));
        Assert.Equal((8, 8192), (size.Vcpus, size.MemoryMib));
        Assert.Collection(
            size.Warnings,
            static text =>
                Assert.Equal("The pod asks for 9 processors and gets 8, which is default_maxvcpus or all that the host has", text),
            static text => Assert.Equal(
                "The pod asks for 9048 MiB of memory and gets 8192, which is default_maxmemory or all that the host has", text));
    }

    [Theory]
    [InlineData(0, 2048)]
    [InlineData(3, 2052)]
    [InlineData(4, 2052)]
    public void Plan_HugePages_HaveAWholeNumberOfThem(long mib, int expected) => Assert.Equal(
        expected, SandboxSizing.Plan(s_hypervisor with { HugePages = true }, Pod(("memory", $"{mib * Mib}"))).MemoryMib);

    [Fact]
    public void ShortageOf_ContainersBeyondTheMachine_SaysWhat()
    {
        var machine = new MachineSize(2, 512 * Mib);
        LinuxResources large = new() { Memory = new LinuxMemory { Limit = 300 * Mib } };
        LinuxResources busy = new() { Cpu = new LinuxCpu { Quota = 150_000, Period = 100_000 } };
        Assert.Null(SandboxSize.ShortageOf([large, busy, new LinuxResources()], machine));
        Assert.Contains(
            $"{600 * Mib} bytes of memory, and its machine has {512 * Mib}", SandboxSize.ShortageOf([large, large], machine),
            StringComparison.Ordinal);
        Assert.Contains(
            "the time of 3 processors, and its machine has 2", SandboxSize.ShortageOf([busy, busy], machine), StringComparison.Ordinal);
    }

    private static SandboxSize Plan(RuntimeSpec spec) => SandboxSizing.Plan(s_hypervisor, spec);

    private static RuntimeSpec Pod(params (string Name, string? Value)[] annotations)
    {
        var all = new Dictionary<string, string> { ["io.kubernetes.cri.container-type"] = "sandbox" };
        foreach ((string name, string? value) in annotations)
        {
            if (value is not null)
            {
                all[Prefix + name] = value;
            }
        }

        return Spec(null, all);
    }

    private static RuntimeSpec Spec(LinuxResources? resources, IReadOnlyDictionary<string, string>? annotations = null) =>
        new() { OciVersion = "1.0.2", Annotations = annotations, Linux = new LinuxSpec { Resources = resources } };
}
