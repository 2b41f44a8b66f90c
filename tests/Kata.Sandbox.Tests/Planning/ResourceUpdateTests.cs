using Kata.Oci;
using Guest = Kata.Agent.Protocol.Oci;

namespace Kata.Sandbox.Tests;

public sealed class ResourceUpdateTests
{
    private const long Mib = 1 << 20;

    private static readonly MachineSize s_machine = new(2, 512 * Mib);

    [Fact]
    public void Plan_NothingOrZeros_ChangesNothing()
    {
        var zeros = new LinuxResources
        {
            Cpu = new LinuxCpu { Shares = 0, Quota = 0, Period = 0, Cpus = "", Mems = "" },
            Memory = new LinuxMemory { Limit = 0, Swap = 0, Reservation = 0 },
            Pids = new LinuxPids { Limit = 0 },
            BlockIO = new LinuxBlockIO { Weight = 0 },
        };
        var current = new LinuxResources
        {
            Memory = new LinuxMemory { Limit = 5 },
            Cpu = new LinuxCpu { Quota = 7000 },
            Pids = new LinuxPids { Limit = 9 },
        };
        foreach (LinuxResources change in new[] { new LinuxResources(), zeros })
        {
            ResourceUpdate update = ResourceUpdate.Plan(current, change, s_machine);
            Assert.Null(update.Guest);
            Assert.Empty(update.CgroupFiles);
            Assert.Empty(update.Warnings);
            Assert.Equal((5, 7000, 9), (update.Effective.Memory!.Limit, update.Effective.Cpu!.Quota, update.Effective.Pids!.Limit));
        }
    }

    [Fact]
    public void Plan_OneLimitOfAGroup_SendsTheOthersThatItDependsOn()
    {
        var current = new LinuxResources
        {
            Memory = new LinuxMemory { Limit = 64 * Mib, Swap = 128 * Mib },
            Cpu = new LinuxCpu { Quota = 50_000, Period = 200_000 },
        };

        ResourceUpdate update = ResourceUpdate.Plan(
            current, new LinuxResources { Memory = new LinuxMemory { Limit = 96 * Mib }, Cpu = new LinuxCpu { Quota = 70_000 } },
            s_machine);

        Assert.Equal(new Guest.LinuxMemory { Limit = 96 * Mib, Swap = 128 * Mib }, update.Guest!.Memory);
        Assert.Equal(new Guest.LinuxCPU { Quota = 70_000, Period = 200_000 }, update.Guest.CPU);
        Assert.Null(update.Guest.Pids);
    }

    [Fact]
    public void Plan_PeriodAlone_KeepsTimeUnlimited() => Assert.Equal(
        new Guest.LinuxCPU { Quota = -1, Period = 50_000 },
        Plan(new LinuxResources { Cpu = new LinuxCpu { Period = 50_000 } }).Guest!.CPU);

    [Fact]
    public void Plan_MemoryUnlimited_TakesSwapAlong() => Assert.Equal(
        new Guest.LinuxMemory { Limit = -1, Swap = -1 },
        Plan(new LinuxResources { Memory = new LinuxMemory { Limit = -1 } }).Guest!.Memory);

    [Fact]
    public void Plan_WhatTheProtocolLacks_GoesToFiles()
    {
        ResourceUpdate update = Plan(new LinuxResources
        {
            Cpu = new LinuxCpu { Quota = 20_000, Burst = 10_000, Idle = 1 },
            Unified = new Dictionary<string, string> { ["memory.high"] = "1000000" },
        });
        Assert.Equal(
            ["cpu.idle=1", "cpu.max.burst=10000", "memory.high=1000000"],
            update.CgroupFiles.Select(static item => $"{item.Key}={item.Value}"));
    }

    [Theory]
    [InlineData(512, true)]
    [InlineData(513, false)]
    [InlineData(1 << 20, false)]
    public void Plan_MemoryAgainstTheMachine_IsRefusedAboveItsSize(long mib, bool fits)
    {
        var change = new LinuxResources { Memory = new LinuxMemory { Limit = mib * Mib } };
        if (fits)
        {
            Assert.Equal(mib * Mib, Plan(change).Guest!.Memory.Limit);
            return;
        }

        InvalidSpecException error = Assert.Throws<InvalidSpecException>(() => Plan(change));
        Assert.Equal(
            $"Cannot use the resource limits: /memory/limit: asks for {mib * Mib} bytes and the virtual machine has 536870912. "
            + "A running machine cannot grow yet: ask for at most that, for -1, or make the container anew with the larger limit",
            error.Message);
    }

    [Theory]
    [InlineData(200_000, 100_000ul, null)]
    [InlineData(200_001, 100_000ul, "/cpu/quota")]
    [InlineData(200_001, null, "/cpu/quota")]
    [InlineData(null, 1000ul, "/cpu/quota")] // the quota of before, 50 ms, in a shorter period
    [InlineData(-1, 1000ul, null)]
    [InlineData(999, null, "/cpu/quota")]
    [InlineData(-2, null, "/cpu/quota")]
    [InlineData(null, 999ul, "/cpu/period")]
    [InlineData(null, 1_000_001ul, "/cpu/period")]
    [InlineData(long.MaxValue, 1_000_000ul, "/cpu/quota")]
    public void Plan_TimeAgainstTheMachine_IsRefusedAboveItsProcessors(object? quota, object? period, string? field)
    {
        var change = new LinuxResources
        {
            Cpu = new LinuxCpu { Quota = quota is null ? null : Convert.ToInt64(quota, null), Period = (ulong?)period },
        };
        var current = new LinuxResources { Cpu = new LinuxCpu { Quota = 50_000 } };
        Exception? error = Record.Exception(() => ResourceUpdate.Plan(current, change, s_machine));
        Assert.Equal(field, (error as InvalidSpecException)?.Field);
    }

    [Theory]
    [InlineData("0", true)]
    [InlineData("0-1", true)]
    [InlineData("1,0", true)]
    [InlineData("6-9", true)] // whether there are such is the host's to say
    [InlineData("1-0", false)]
    [InlineData("-1", false)]
    [InlineData("a", false)]
    [InlineData("0,", false)]
    [InlineData("99999999999", false)]
    public void Plan_Processors_AreTheHosts(string list, bool accepted)
    {
        var change = new LinuxResources { Cpu = new LinuxCpu { Cpus = list } };
        if (accepted)
        {
            ResourceUpdate update = Plan(change);
            Assert.Equal(list, update.Effective.Cpu!.Cpus);
            Assert.Null(update.Guest);
        }
        else
        {
            Assert.Equal("/cpu/cpus", Assert.Throws<InvalidSpecException>(() => Plan(change)).Field);
        }
    }

    [Fact]
    public void Plan_WhatAVmCannotDo_IsRefused()
    {
        (string Field, LinuxResources Change)[] refused =
        [
            ("/cpu/realtimeRuntime", new LinuxResources { Cpu = new LinuxCpu { RealtimeRuntime = 1 } }),
            ("/cpu/realtimeRuntime", new LinuxResources { Cpu = new LinuxCpu { RealtimePeriod = 1 } }),
            ("/cpu/mems", new LinuxResources { Cpu = new LinuxCpu { Mems = "x" } }),
            ("/cpu/idle", new LinuxResources { Cpu = new LinuxCpu { Idle = 2 } }),
            ("/cpu/burst", new LinuxResources { Cpu = new LinuxCpu { Burst = 1 } }),
            ("/memory/swap", new LinuxResources { Memory = new LinuxMemory { Swap = 5 } }),
            ("/memory/swap", new LinuxResources { Memory = new LinuxMemory { Limit = 6, Swap = 5 } }),
            ("/memory/limit", new LinuxResources { Memory = new LinuxMemory { Limit = -2 } }),
            ("/memory/reservation", new LinuxResources { Memory = new LinuxMemory { Reservation = 513 * Mib } }),
        ];
        foreach ((string field, LinuxResources change) in refused)
        {
            Assert.Equal(field, Assert.Throws<InvalidSpecException>(() => Plan(change)).Field);
        }
    }

    [Fact]
    public void Plan_BlockDevices_AreTheHostsAndWhatIsNotNamedStays()
    {
        var current = new LinuxResources
        {
            BlockIO = new LinuxBlockIO
            {
                Weight = 10,
                ThrottleReadBpsDevice = [new LinuxThrottleDevice { Major = 8, Minor = 0, Rate = 5 }],
            },
        };
        ResourceUpdate update = ResourceUpdate.Plan(current, new LinuxResources { BlockIO = new LinuxBlockIO { Weight = 20 } }, s_machine);
        Assert.Null(update.Guest);
        Assert.Equal((ushort?)20, update.Effective.BlockIO!.Weight);
        Assert.Single(update.Effective.BlockIO.ThrottleReadBpsDevice!);
    }

    [Fact]
    public void Plan_WhatNoUpdateChanges_WarnsOnceEach()
    {
        ResourceUpdate update = Plan(new LinuxResources
        {
            Memory = new LinuxMemory { Kernel = 5, Swappiness = 3 },
            HugepageLimits = [new LinuxHugepageLimit { PageSize = "2MB", Limit = 1 }],
            Devices = [new LinuxDeviceCgroup { Allow = false }],
        });
        Assert.Null(update.Guest);
        Assert.Equal(4, update.Warnings.Count);
    }

    [Fact]
    public void CheckUsage_LimitBelowWhatIsUsed_IsRefused()
    {
        ResourceUpdate.CheckUsage(100, 100);
        Assert.Contains(
            "uses 101", Assert.Throws<InvalidSpecException>(() => ResourceUpdate.CheckUsage(100, 101)).Message, StringComparison.Ordinal);
    }

    private static ResourceUpdate Plan(LinuxResources change) => ResourceUpdate.Plan(new LinuxResources(), change, s_machine);
}
