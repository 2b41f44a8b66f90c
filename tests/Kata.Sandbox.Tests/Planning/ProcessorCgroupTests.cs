using Kata.Configuration;
using Kata.Hypervisor;
using Kata.Oci;

namespace Kata.Sandbox.Tests;

public sealed class ProcessorCgroupTests
{
    [Theory]
    [InlineData(true, "/pods/a", "/pods/a/kata_pod", null)]
    [InlineData(false, "/pods/a", "/kata_overhead/pods/a/kata_pod", "/pods/a/kata_pod")]
    [InlineData(false, null, "/kata_overhead/kata_pod", "/kata/pod")]
    public void Plan_SandboxCgroupOnly_DecidesWhereTheProcessorsAre(bool only, string? named, string processes, string? processors)
    {
        KataConfiguration configuration = KataConfiguration.Load(
            new ConfigurationSources { SearchPaths = [], InstallPrefix = "/usr", HostCpuCount = 2 });
        SandboxPlan plan = SandboxPlanner.Plan(
            SandboxId.Parse("pod"),
            configuration with { Runtime = configuration.Runtime with { SandboxCgroupOnly = only } },
            new AcceleratorChoice(Accelerator.Kvm, AgentTransport.Vsock, "because", null),
            new RuntimeSpec { OciVersion = "1.0.2", Linux = new LinuxSpec { CgroupsPath = named } },
            "/kata/pod");
        Assert.Equal((processes, processors), (plan.Cgroup, plan.ProcessorCgroup));
    }
}
