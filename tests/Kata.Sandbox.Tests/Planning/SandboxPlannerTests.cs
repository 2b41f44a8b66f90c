using Kata.Configuration;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Network;
using Kata.Oci;

namespace Kata.Sandbox.Tests;

public sealed class SandboxPlannerTests
{
    private const long Mib = 1024 * 1024;

    private static readonly KataConfiguration s_configuration = KataConfiguration.Load(new ConfigurationSources
    {
        SearchPaths = [],
        InstallPrefix = "/usr/local",
        HostCpuCount = 8,
    });

    private static readonly AcceleratorChoice s_kvm = new(Accelerator.Kvm, AgentTransport.Vsock, "because", null);

    [Theory]
    [InlineData(null, 0)]
    [InlineData(-1L, 0)]
    [InlineData(0L, 0)]
    [InlineData(1L, 1)]
    [InlineData(64 * Mib, 64)]
    [InlineData((64 * Mib) + 1, 65)]
    [InlineData(0x7FFF_FFFF_FFFF_F000L, 0)] // what cgroup v1 prints for "no limit"
    [InlineData(long.MaxValue, 0)]
    public void Plan_MemoryLimit_AddsToTheConfiguredSize(long? limit, int extraMib)
    {
        SandboxPlan plan = Plan(new LinuxResources { Memory = new LinuxMemory { Limit = limit } });
        Assert.Equal(s_configuration.Hypervisor.MemoryMib + extraMib, plan.Machine.MemoryMib);
    }

    /// <summary>
    /// Half a processor and 64 MiB for the containers, and a machine of one processor and the configured memory around them.
    /// </summary>
    [Theory]
    [InlineData(0.5, 64 * Mib, "0.5 of the 1.5 processors and 64 of the ")]
    [InlineData(1.5, 64 * Mib, "64 of the ")]
    [InlineData(0.5, null, "0.5 of the 1.5 processors that ")]
    [InlineData(1.5, 1L << 40, null)]
    [InlineData(null, null, null)]
    public void Within_GroupsAboveAllowLess_IsOneWarning(double? processors, long? memory, string? allowed)
    {
        var resources = new LinuxResources
        {
            Memory = new LinuxMemory { Limit = 64 * Mib },
            Cpu = new LinuxCpu { Quota = 50_000, Period = 100_000 },
        };
        SandboxPlan plan = Plan(resources);

        SandboxPlan within = SandboxPlanner.Within(
            plan, new RuntimeSpec { OciVersion = "1.0.2", Linux = new LinuxSpec { Resources = resources } },
            _ => new CgroupBounds(processors, memory));

        string[] added = [.. within.Warnings.Except(plan.Warnings)];
        Assert.Equal(allowed is null ? 0 : 1, added.Length);
        Assert.All(added, warning => Assert.StartsWith(
            $"The host's control groups above '{plan.Cgroup}' allow the pod {allowed}", warning, StringComparison.Ordinal));
        Assert.All(added, static warning => Assert.EndsWith(
            "Allow for the machine there, in Kubernetes by the overhead of the pod's RuntimeClass", warning, StringComparison.Ordinal));
    }

    [Fact]
    public void Plan_AbsurdMemoryLimit_IsAllThatTheHostHas()
    {
        SandboxPlan plan = Plan(new LinuxResources { Memory = new LinuxMemory { Limit = long.MaxValue / 2 } });
        Assert.Equal(16_777_216, plan.Machine.MemoryMib);
        Assert.Contains("default_maxmemory", Assert.Single(plan.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, null, 0)]
    [InlineData(-1L, 100_000ul, 0)]
    [InlineData(0L, 100_000ul, 0)]
    [InlineData(50_000L, 100_000ul, 1)]
    [InlineData(100_000L, 100_000ul, 1)]
    [InlineData(100_001L, 100_000ul, 2)]
    [InlineData(300_000L, 0ul, 3)] // the kernel's own period
    [InlineData(300_000L, null, 3)]
    [InlineData(long.MaxValue, 1ul, 100)]
    public void Plan_CpuQuota_AddsProcessorsUpToTheMaximum(long? quota, ulong? period, int extra)
    {
        SandboxPlan plan = Plan(new LinuxResources { Cpu = new LinuxCpu { Quota = quota, Period = period } });
        int expected = Math.Min(s_configuration.Hypervisor.DefaultVcpus + extra, s_configuration.Hypervisor.MaxVcpus);
        Assert.Equal(expected, plan.Machine.VcpuCount);
    }

    [Fact]
    public void Plan_KernelParameters_TheUsersComeLast()
    {
        KataConfiguration configuration = s_configuration with
        {
            Hypervisor = s_configuration.Hypervisor with { KernelParameters = "panic=7 mine" },
        };
        string parameters = Plan(null, configuration).Machine.KernelParameters;
        Assert.EndsWith(" quiet panic=7 mine", parameters, StringComparison.Ordinal);
        Assert.StartsWith("console=ttyS0 ", parameters, StringComparison.Ordinal);
        Assert.True(parameters.IndexOf("panic=-1", StringComparison.Ordinal) < parameters.IndexOf("panic=7", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Plan_DebugOfEitherSection_MakesTheGuestTalk(bool hypervisor, bool agent)
    {
        KataConfiguration configuration = s_configuration with
        {
            Hypervisor = s_configuration.Hypervisor with { EnableDebug = hypervisor, KernelParameters = "" },
            Agent = s_configuration.Agent with { EnableDebug = agent },
        };
        string parameters = Plan(null, configuration).Machine.KernelParameters;
        Assert.EndsWith(" debug agent.log=debug", parameters, StringComparison.Ordinal);
        Assert.DoesNotContain("quiet", parameters, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_Warnings_AreTheConfigurationsAndTheHosts()
    {
        SandboxPlan plan = SandboxPlanner.Plan(
            SandboxId.Parse("pod"),
            s_configuration with { Warnings = ["of the file"] },
            new AcceleratorChoice(Accelerator.Tcg, AgentTransport.VirtioSerial, "r", "slow"),
            Spec(null),
            "/kata/pod");
        Assert.Equal(["of the file", "slow"], plan.Warnings);
        Assert.Equal((Accelerator.Tcg, AgentTransport.VirtioSerial), (plan.Machine.Accelerator, plan.Machine.AgentTransport));
    }

    [Fact]
    public void Plan_Host_DecidesAcceleratorAndTransport()
    {
        SandboxPlan plan = Plan(null);
        Assert.Equal((Accelerator.Kvm, AgentTransport.Vsock), (plan.Machine.Accelerator, plan.Machine.AgentTransport));
        Assert.Empty(plan.Warnings);
        Assert.Equal("pod", plan.Machine.Name);
        Assert.Equal("host-of-pod", plan.Hostname);
        Assert.Equal("kataShared", Assert.Single(plan.Machine.Devices.OfType<FileShareDevice>()).Tag);
        Assert.NotEqual(0u, plan.Machine.JailUserId);
    }

    [Fact]
    public void Plan_Limits_AreTheConfigurations()
    {
        LimitsConfig limits = s_configuration.Limits;
        SandboxPlan plan = Plan(null);
        var expected = new SandboxTimeouts(
            limits.BootTimeout, TimeSpan.FromSeconds(45), limits.RequestTimeout, TimeSpan.FromSeconds(60),
            limits.AgentCheckInterval, limits.StopTimeout, limits.StdioDrainTimeout);
        Assert.Equal(expected, plan.Timeouts);
        Assert.Equal((limits.RequestTimeout, limits.StopTimeout), (plan.Machine.MonitorTimeout, plan.Machine.StopTimeout));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Plan_DisableGuestSeccomp_IsHonoured(bool disabled)
    {
        KataConfiguration configuration = s_configuration with
        {
            Runtime = s_configuration.Runtime with { DisableGuestSeccomp = disabled },
        };
        Assert.Equal(!disabled, Plan(null, configuration).GuestSeccomp);
    }

    [Theory]
    [InlineData(0L, null)]
    [InlineData(1L, 1UL)] // the kernel's slowest
    [InlineData(8_000_000L, 1_000_000UL)]
    [InlineData(long.MaxValue, 1_152_921_504_606_846_976UL)]
    public void Plan_Rates_AreInBytes(long bits, ulong? bytes)
    {
        HypervisorConfig hypervisor = s_configuration.Hypervisor;
        EndpointOptions receiving = Plan(
            null, s_configuration with { Hypervisor = hypervisor with { ReceiveBitsPerSecond = bits } }).Interfaces;
        Assert.Equal(new EndpointOptions { ReceiveRate = bytes }, receiving);
        EndpointOptions sending = Plan(
            null, s_configuration with { Hypervisor = hypervisor with { SendBitsPerSecond = bits } }).Interfaces;
        Assert.Equal(new EndpointOptions { SendRate = bytes }, sending);
    }

    [Fact]
    public void Check_HostsNetwork_IsRefusedUnlessAllowed()
    {
        RuntimeSpec own = Spec("network");
        RuntimeSpec hosts = Spec("pid");
        SandboxPlan plan = Plan(null);
        var wishes = new PodSettings { Id = plan.Id, IsInHostNetwork = true };

        Assert.Same(plan, HostNetworking.Check(plan, own));
        Assert.Equal("/linux/namespaces", Assert.Throws<InvalidSpecException>(() => HostNetworking.Check(plan, hosts)).Field);
        Assert.Throws<InvalidSpecException>(() => HostNetworking.Check(plan, new RuntimeSpec { OciVersion = "1.0.2" }));
        Assert.Throws<SandboxStateException>(() => HostNetworking.Check(plan, wishes));
        Assert.Throws<NetworkException>(() => HostNetworking.CheckNamed(plan));
        SandboxPlan allowed = plan with { AllowsHostNetwork = true };
        Assert.Same(allowed, HostNetworking.Check(allowed, hosts));
        Assert.Same(allowed, HostNetworking.Check(allowed, wishes));
        Assert.Contains("loopback interface only", HostNetworking.CheckNamed(allowed), StringComparison.Ordinal);

        static RuntimeSpec Spec(string type) =>
            new() { OciVersion = "1.0.2", Linux = new LinuxSpec { Namespaces = [new LinuxNamespace { Type = type }] } };
    }

    private static SandboxPlan Plan(LinuxResources? resources, KataConfiguration? configuration = null) =>
        SandboxPlanner.Plan(SandboxId.Parse("pod"), configuration ?? s_configuration, s_kvm, Spec(resources), "/kata/pod");

    private static RuntimeSpec Spec(LinuxResources? resources) =>
        new() { OciVersion = "1.0.2", Hostname = "host-of-pod", Linux = new LinuxSpec { Resources = resources } };
}
