using System.Globalization;
using Kata.Integration.Tests.Harness;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Integration.Tests.Cri;

/// <summary>Limits, their change, and the numbers that <c>kubectl top</c> shows.</summary>
[Collection(ContainersGroup.Name)]
public sealed class CriResourceTests : IClassFixture<CriFixture>
{
    private const int Mebibyte = 1 << 20;

    private readonly CriFixture _cri;

    public CriResourceTests(CriFixture cri)
    {
        CriFixture.RequireCri();
        _cri = cri;
    }

    [Theory]
    [InlineData(CriFixture.Kata)]
    [InlineData(CriFixture.Runc)]
    public async Task Update_OfAContainer_HoldsInside(string handler)
    {
        CriPod pod = await CriPod.RunAsync(_cri, handler);
        string id = await pod.RunContainerAsync("main", ["sleep", "100000"], static config =>
            config.Linux.Resources = new LinuxContainerResources
            {
                MemoryLimitInBytes = 64 * Mebibyte,
                CpuQuota = 50_000,
                CpuPeriod = 100_000,
                CpuShares = 512,
            });
        Assert.Equal("67108864 50000 100000", await LimitsAsync());

        await _cri.Client.UpdateContainerResourcesAsync(new UpdateContainerResourcesRequest
        {
            ContainerId = id,
            Linux = new LinuxContainerResources
            {
                MemoryLimitInBytes = 48 * Mebibyte,
                CpuQuota = 25_000,
                CpuPeriod = 100_000,
                CpuShares = 256,
            },
        });
        Assert.Equal("50331648 25000 100000", await LimitsAsync());
        await pod.EndAsync();

        Task<string> LimitsAsync() => pod.ShellAsync(
            id,
            """
            cd /sys/fs/cgroup
            if [ -e memory.max ]
            then echo $(cat memory.max cpu.max)
            else echo $(cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us)
            fi
            """);
    }

    [Theory]
    [InlineData(CriFixture.Kata)]
    [InlineData(CriFixture.Runc)]
    public async Task Stats_OfContainers_AreWhatTheirGroupsSayInside(string handler)
    {
        CriPod pod = await CriPod.RunAsync(_cri, handler);
        // 40 MiB that stay, and some seconds of processor time.
        const string Busy = "dd if=/dev/zero of=/dev/shm/held bs=1M count=40 2> /dev/null; "
            + "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo ready; sleep 100000";
        string busy = await pod.RunContainerAsync("busy", ["sh", "-c", Busy]);
        string idle = await pod.RunContainerAsync("idle", ["sleep", "100000"]);
        using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
        while (await pod.LogAsync("busy") != "ready\n")
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
        }

        // The groups are read from inside before and after: what CRI says lies between, or as near as 5 %.
        (double before, double usage, double working) = await InsideAsync();
        ListContainerStatsResponse all = await _cri.Client.ListContainerStatsAsync(
            new ListContainerStatsRequest(), cancellationToken: limit.Token);
        (double after, _, _) = await InsideAsync();

        ContainerStats stats = all.Stats.Single(item => item.Attributes.Id == busy);
        Assert.Contains(all.Stats, item => item.Attributes.Id == idle);
        Assert.InRange(stats.Cpu.UsageCoreNanoSeconds.Value, before * 1000 * 0.95, after * 1000 * 1.05);
        Assert.InRange(stats.Memory.WorkingSetBytes.Value, working * 0.95, working * 1.05);
        Assert.InRange(usage, 40.0 * Mebibyte, 60.0 * Mebibyte);
        await pod.EndAsync();

        async Task<(double Microseconds, double Usage, double WorkingSet)> InsideAsync()
        {
            string[] lines = (await pod.ShellAsync(
                busy,
                """
                cd /sys/fs/cgroup
                if [ -e memory.current ]
                then grep usage_usec cpu.stat | cut -d ' ' -f 2; cat memory.current; grep '^inactive_file' memory.stat | cut -d ' ' -f 2
                else
                  echo $(($(cat cpuacct/cpuacct.usage) / 1000)); cat memory/memory.usage_in_bytes
                  grep '^total_inactive_file' memory/memory.stat | cut -d ' ' -f 2
                fi
                """)).Split('\n');
            double[] numbers = [.. lines.Select(static line => double.Parse(line, CultureInfo.InvariantCulture))];
            return (numbers[0], numbers[1], numbers[1] - numbers[2]);
        }
    }

    [Theory]
    [InlineData(CriFixture.Kata)]
    [InlineData(CriFixture.Runc)]
    public async Task OutOfMemory_InAContainer_IsToldToTheKubelet(string handler)
    {
        CriPod pod = await CriPod.RunAsync(_cri, handler);
        string id = await pod.RunContainerAsync("main", ["sh", "-c", "tail /dev/zero"], static config =>
            config.Linux.Resources = new LinuxContainerResources { MemoryLimitInBytes = 16 * Mebibyte });

        ContainerStatus status = await pod.EndedAsync(id);
        Assert.NotEqual(0, status.ExitCode);
        using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
        while ((status = await pod.StatusAsync(id)).Reason != "OOMKilled")
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token); // the event may come after the exit
        }

        await pod.EndAsync();
    }

    /// <summary>As a kubelet makes it: the pod's group has what its containers may use, and nothing for a machine around them.</summary>
    [Theory]
    [InlineData(CriFixture.Kata)]
    [InlineData(CriFixture.Runc)]
    public async Task Limits_OfThePodsOwnGroup_BoundItsMachine(string handler)
    {
        string parent = string.Create(CultureInfo.InvariantCulture, $"/kata-kubepods-{Environment.ProcessId}-{handler}");
        string[] groups = [parent + "/burstable/pod1", parent + "/burstable", parent];
        string group = groups[0];
        string[] hierarchies = [.. CgroupLayout.Read().Hierarchies.Select(static item => item.MountPoint).Distinct()];
        try
        {
            foreach (string hierarchy in hierarchies)
            {
                HostCgroup.Create(CgroupLayout.Read().Hierarchies.First(item => item.MountPoint == hierarchy), group);
                Write(hierarchy, "cpu.cfs_quota_us", "50000");
                Write(hierarchy, "cpu.max", "50000 100000");
                Write(hierarchy, "memory.limit_in_bytes", "536870912");
                Write(hierarchy, "memory.max", "536870912");
            }

            var resources = new LinuxContainerResources { MemoryLimitInBytes = 64 * Mebibyte, CpuQuota = 50_000, CpuPeriod = 100_000 };
            CriPod pod = await CriPod.RunAsync(_cri, handler, config =>
            {
                config.Linux.CgroupParent = group;
                config.Linux.Resources = resources;
            });
            string id = await pod.RunContainerAsync("main", ["sleep", "100000"], config => config.Linux.Resources = resources);
            Assert.Equal("here", await pod.ShellAsync(id, "echo here"));
            await _cri.Client.UpdateContainerResourcesAsync(new UpdateContainerResourcesRequest
            {
                ContainerId = id,
                Linux = new LinuxContainerResources { MemoryLimitInBytes = 32 * Mebibyte, CpuQuota = 40_000, CpuPeriod = 100_000 },
            });
            await pod.EndAsync();
        }
        finally
        {
            foreach (string directory in hierarchies.SelectMany(hierarchy => groups.Select(item => hierarchy + item)))
            {
                _ = LibC.rmdir(directory);
            }
        }

        void Write(string hierarchy, string file, string value)
        {
            string path = hierarchy + group + "/" + file;
            if (File.Exists(path))
            {
                File.WriteAllText(path, value);
            }
        }
    }
}
