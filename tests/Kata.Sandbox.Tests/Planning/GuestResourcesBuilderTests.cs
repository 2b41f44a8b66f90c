using Kata.Oci;
using Guest = Kata.Agent.Protocol.Oci;

namespace Kata.Sandbox.Tests;

public sealed class GuestResourcesBuilderTests
{
    private readonly List<string> _warnings = [];

    [Fact]
    public void Build_Nothing_IsEmptyAndSilent()
    {
        Assert.Equal(new Guest.LinuxResources(), Build(new LinuxResources()));
        Assert.Empty(_warnings);
    }

    [Fact]
    public void Build_MemoryCpuAndPids_ArePassed()
    {
        Guest.LinuxResources guest = Build(new LinuxResources
        {
            Memory = new LinuxMemory { Limit = 1 << 30, Reservation = 5, Swap = -1, DisableOomKiller = true },
            Cpu = new LinuxCpu { Shares = 512, Quota = -1, Period = 100_000 },
            Pids = new LinuxPids { Limit = -1 },
        });
        Assert.Equal(new Guest.LinuxMemory { Limit = 1 << 30, Reservation = 5, Swap = -1, DisableOOMKiller = true }, guest.Memory);
        Assert.Equal(new Guest.LinuxCPU { Shares = 512, Quota = -1, Period = 100_000 }, guest.CPU);
        Assert.Equal(-1, guest.Pids.Limit);
        Assert.Contains("disableOOMKiller", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Build_DeviceRules_KeepOrderAndWildcards()
    {
        Guest.LinuxResources guest = Build(new LinuxResources
        {
            Devices =
            [
                new LinuxDeviceCgroup { Allow = false, Access = "rwm" },
                new LinuxDeviceCgroup { Allow = true, Type = "c", Major = 1, Access = "r" },
            ],
        });
        Assert.Equal(
            [
                new Guest.LinuxDeviceCgroup { Allow = false, Major = -1, Minor = -1, Access = "rwm" },
                new Guest.LinuxDeviceCgroup { Allow = true, Type = "c", Major = 1, Minor = -1, Access = "r" },
            ],
            guest.Devices);
    }

    [Theory]
    [InlineData("cpus")]
    [InlineData("mems")]
    public void Build_ProcessorSets_AreTheHosts(string which)
    {
        Guest.LinuxResources guest = Build(
            new LinuxResources { Cpu = which == "cpus" ? new LinuxCpu { Cpus = "0-3" } : new LinuxCpu { Mems = "0" } });
        Assert.Empty(guest.CPU.Cpus + guest.CPU.Mems);
        Assert.Empty(_warnings);
    }

    [Fact]
    public void Build_WhatNobodyApplies_WarnsOnceEach()
    {
        Build(new LinuxResources
        {
            BlockIO = new LinuxBlockIO { WeightDevice = [new LinuxWeightDevice { Major = 8, Minor = 0, Weight = 5 }] },
            HugepageLimits = [new LinuxHugepageLimit { PageSize = "2MB", Limit = 1 }],
            Rdma = new Dictionary<string, LinuxRdma> { ["mlx5"] = new() },
        });
        Assert.Equal(3, _warnings.Count);
        Assert.All(_warnings, static warning => Assert.EndsWith("is not applied", warning, StringComparison.Ordinal));
    }

    private Guest.LinuxResources Build(LinuxResources resources) => GuestResourcesBuilder.Build(resources, _warnings);
}
