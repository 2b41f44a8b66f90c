using Kata.Hypervisor;
using Kata.Linux;
using Kata.Oci;

namespace Kata.Sandbox.Tests;

public sealed class HostLimitsTests
{
    private const long Mib = 1 << 20;

    private static readonly MachineConfig s_machine = new()
    {
        Name = "pod",
        HypervisorPath = "/q",
        KernelPath = "/k",
        KernelParameters = "",
        MemoryMib = 320,
        Accelerator = Accelerator.Kvm,
        Devices = [new AgentChannelDevice(AgentTransport.Vsock)],
    };

    [Fact]
    public void Plan_NothingAskedFor_LimitsNothing() =>
        Assert.Equal(CgroupLimits.None with { Devices = [] }, Plan(new LinuxResources()) with { Devices = [] });

    [Fact]
    public void Plan_Quotas_AreAddedToTheMachinesOwnProcessors()
    {
        Assert.Equal(150_000, Plan(Cpu(new LinuxCpu { Quota = 50_000, Period = 100_000 })).CpuQuotaUs);
        Assert.Equal(350_000, Plan(Cpu(new LinuxCpu { Quota = 20_000, Period = 10_000 }), Cpu(new LinuxCpu { Quota = 50_000 })).CpuQuotaUs);
        Assert.Null(Plan(Cpu(new LinuxCpu { Quota = 50_000 }), new LinuxResources()).CpuQuotaUs);
        Assert.Null(Plan(Cpu(new LinuxCpu { Quota = -1 })).CpuQuotaUs);
        // Beyond the kernel's numbers: as good as none.
        Assert.Null(Plan(Cpu(new LinuxCpu { Quota = long.MaxValue, Period = 1 })).CpuQuotaUs);
    }

    [Fact]
    public void Plan_SharesAndSets_AreThoseOfAllContainers()
    {
        CgroupLimits limits = Plan(
            Cpu(new LinuxCpu { Shares = 512, Cpus = "0-1", Mems = "0" }), new LinuxResources(),
            Cpu(new LinuxCpu { Shares = 256, Cpus = "3" }), Cpu(new LinuxCpu { Cpus = "0-1" }));
        Assert.Equal((768ul, "0-1,3", "0"), (limits.CpuShares, limits.Cpus, limits.MemoryNodes));
        Assert.Equal(ulong.MaxValue, Plan(Cpu(new LinuxCpu { Shares = ulong.MaxValue }), Cpu(new LinuxCpu { Shares = 2 })).CpuShares);
    }

    [Fact]
    public void Plan_MemoryLimits_AreTheMachineAndWhatIsAroundIt()
    {
        LinuxResources limited = new() { Memory = new LinuxMemory { Limit = 64 * Mib } };
        Assert.Equal((320 + 256) * Mib, Plan(limited, limited).MemoryBytes);
        Assert.Null(Plan(limited, new LinuxResources()).MemoryBytes);
        // What version 1 calls no limit.
        Assert.Null(Plan(new LinuxResources { Memory = new LinuxMemory { Limit = 0x7FFF_FFFF_FFFF_F000L } }).MemoryBytes);
    }

    [Fact]
    public void Plan_BlockDevices_AreAddedUpByDevice()
    {
        CgroupLimits limits = Plan(
            new LinuxResources
            {
                BlockIO = new LinuxBlockIO
                {
                    Weight = 100,
                    ThrottleReadBpsDevice = [Device(8, 0, 10), Device(8, 16, 5)],
                    ThrottleWriteIopsDevice = [Device(8, 0, 7)],
                },
            },
            new LinuxResources { BlockIO = new LinuxBlockIO { Weight = 300, ThrottleReadBpsDevice = [Device(8, 0, 20)] } });
        Assert.Equal((ushort)300, limits.IoWeight);
        Assert.Equal(
            [
                new CgroupDeviceLimit(8, 0, CgroupDeviceLimitKind.ReadBytes, 30),
                new CgroupDeviceLimit(8, 16, CgroupDeviceLimitKind.ReadBytes, 5),
                new CgroupDeviceLimit(8, 0, CgroupDeviceLimitKind.WriteOperations, 7),
            ],
            limits.Devices);
    }

    [Fact]
    public void Plan_ThePodsOwnContainer_CountsAndLiftsNothing()
    {
        var limited = new LinuxResources
        {
            Cpu = new LinuxCpu { Quota = 50_000, Period = 100_000, Cpus = "1" },
            Memory = new LinuxMemory { Limit = 64 << 20 },
        };

        CgroupLimits limits = HostLimits.Plan([limited], s_machine, baseVcpus: 1, new LinuxResources { Cpu = new LinuxCpu { Shares = 2 } });
        Assert.Equal(150_000, limits.CpuQuotaUs);
        Assert.NotNull(limits.MemoryBytes);

        limits = HostLimits.Plan(
            [limited], s_machine, baseVcpus: 1,
            new LinuxResources { Cpu = new LinuxCpu { Quota = 10_000, Period = 100_000, Cpus = "4000" } });
        Assert.Equal(160_000, limits.CpuQuotaUs);
        Assert.Equal("1,4000", limits.Cpus);
        Assert.NotNull(HostLimits.Plan([], s_machine, baseVcpus: 1, limited).MemoryBytes);
    }

    private static CgroupLimits Plan(params LinuxResources[] containers) => HostLimits.Plan(containers, s_machine, baseVcpus: 1);

    private static LinuxResources Cpu(LinuxCpu cpu) => new() { Cpu = cpu };

    private static LinuxThrottleDevice Device(long major, long minor, ulong rate) => new() { Major = major, Minor = minor, Rate = rate };
}
