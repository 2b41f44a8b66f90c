using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kata.Containerd.Protocol.Cri;
using Kata.Oci;
using Kata.Sandbox;

namespace Kata.Service.Tests;

public class CriPodSettingsTests
{
    private static readonly SandboxId s_id = SandboxId.Parse("pod");
    private static readonly Dictionary<string, string> s_none = [];

    [Fact]
    public void Read_EveryField_ArrivesWhereThePlannerLooks()
    {
        PodSettings settings = Read(new PodSandboxConfig
        {
            Hostname = "web",
            DnsConfig = new DNSConfig { Servers = { "10.0.0.53", "10.0.0.54" }, Searches = { "a", "b" }, Options = { "ndots:5" } },
            Annotations = { ["io.katacontainers.config.hypervisor.default_vcpus"] = "2" },
            Linux = new LinuxPodSandboxConfig
            {
                CgroupParent = "/kubepods/burstable/pod1/",
                Sysctls = { ["kernel.sem"] = "1" },
                SecurityContext = new LinuxSandboxSecurityContext
                {
                    NamespaceOptions = new NamespaceOption { Pid = NamespaceMode.Pod, Network = NamespaceMode.Node },
                },
                Resources = new LinuxContainerResources
                {
                    CpuQuota = 150_000,
                    CpuPeriod = 100_000,
                    CpuShares = 512,
                    MemoryLimitInBytes = 1 << 20,
                    CpusetCpus = "0-1",
                },
            },
        });

        Assert.Equal("web", settings.Hostname);
        Assert.Equal(["search a b", "nameserver 10.0.0.53", "nameserver 10.0.0.54", "options ndots:5"], settings.ResolverLines);
        Assert.Equal("1", settings.Sysctls["kernel.sem"]);
        Assert.True(settings.SharesPidNamespace);
        Assert.True(settings.IsInHostNetwork);
        RuntimeSpec spec = settings.ToSpec();
        Assert.Equal("/kubepods/burstable/pod1/pod", spec.Linux!.CgroupsPath);
        Assert.Equal("2", spec.Annotations!["io.katacontainers.config.hypervisor.default_vcpus"]);
        Assert.Equal(new PodLimits(1500, 1 << 20), PodLimits.Of(spec));
    }

    [Fact]
    public void Read_Nothing_IsAPodWithoutWishes()
    {
        PodSettings settings = CriPodSettings.Read(s_id, null, s_none);

        Assert.False(settings.SharesPidNamespace);
        Assert.False(settings.IsInHostNetwork);
        Assert.Null(settings.ToSpec().Linux!.CgroupsPath);
        Assert.Equal(default, PodLimits.Of(settings.ToSpec()));
    }

    [Fact]
    public void Read_AnEnginesAnnotationsByAUser_AreNotBelieved()
    {
        PodSettings settings = Read(new PodSandboxConfig
        {
            Annotations = { ["io.kubernetes.cri.container-type"] = "sandbox", ["io.kubernetes.cri.sandbox-memory"] = "68719476736" },
        });

        Assert.Empty(settings.Annotations);
        Assert.Equal(default, PodLimits.Of(settings.ToSpec()));
    }

    [Fact]
    public void Read_NoLimits_AreNone()
    {
        PodSettings settings = Read(new PodSandboxConfig
        {
            Linux = new LinuxPodSandboxConfig
            {
                Resources = new LinuxContainerResources { CpuQuota = -1, CpuPeriod = 100_000, MemoryLimitInBytes = -1 },
            },
        });

        Assert.Equal(default, PodLimits.Of(settings.ToSpec()));
    }

    [Fact]
    public void Read_SystemdsSlice_IsNamedInItsWay() => Assert.Equal(
        "kubepods-pod1.slice:cri-containerd:pod",
        Read(new PodSandboxConfig { Linux = new LinuxPodSandboxConfig { CgroupParent = "/kubepods.slice/kubepods-pod1.slice" } })
            .CgroupsPath);

    [Fact]
    public void Read_UserNamespace_IsRefusedWithTheWayOut()
    {
        var options = new NamespaceOption { UsernsOptions = new UserNamespace { Mode = NamespaceMode.Pod } };

        InvalidSpecException error = Assert.Throws<InvalidSpecException>(() => Read(new PodSandboxConfig
        {
            Linux = new LinuxPodSandboxConfig { SecurityContext = new LinuxSandboxSecurityContext { NamespaceOptions = options } },
        }));

        Assert.Contains("Leave hostUsers out", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("other.Type", "")]
    [InlineData(CriPodSettings.TypeUrl, "/w==")] // ends in the middle of a tag
    public void Read_OptionsOfAnotherKind_AreRefused(string type, string base64) => Assert.Throws<InvalidSpecException>(
        () => CriPodSettings.Read(s_id, new Any { TypeUrl = type, Value = ByteString.FromBase64(base64) }, s_none));

    private static PodSettings Read(PodSandboxConfig config) =>
        CriPodSettings.Read(s_id, new Any { TypeUrl = CriPodSettings.TypeUrl, Value = config.ToByteString() }, s_none);
}
