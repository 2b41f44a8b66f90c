using System.Text;
using System.Text.Json;
using Kata.Agent.Protocol;
using Kata.Oci;
using Kata.Runtime.Statistics;

namespace Kata.Runtime.Tests.Statistics;

public sealed class EventLineTests
{
    private static readonly ContainerId s_id = ContainerId.Parse("c1");

    [Fact]
    public void OutOfMemory_IsRuncsLine() =>
        Assert.Equal("{\"type\":\"oom\",\"id\":\"c1\"}\n", Encoding.UTF8.GetString(EventLine.OutOfMemory(s_id)));

    [Fact]
    public void Stats_Figures_AreTheGolden()
    {
        var stats = new CgroupStats
        {
            CpuStats = new CpuStats
            {
                CpuUsage = new CpuUsage { TotalUsage = 5, UsageInKernelmode = 2, UsageInUsermode = 3 },
                ThrottlingData = new ThrottlingData { Periods = 1, ThrottledPeriods = 2, ThrottledTime = 3 },
            },
            MemoryStats = new MemoryStats
            {
                Cache = 4096,
                Usage = new MemoryData { Usage = 8192, Limit = 65536, Failcnt = 1 },
                SwapUsage = new MemoryData { Limit = ulong.MaxValue },
                KernelUsage = new MemoryData { Usage = 100 },
            },
            PidsStats = new PidsStats { Current = 3, Limit = 9 },
            BlkioStats = new BlkioStats(),
        };
        stats.MemoryStats.Stats["file"] = 4096;
        stats.MemoryStats.Stats["anon"] = 1;
        stats.MemoryStats.Stats["events.oom_kill"] = 1;
        stats.BlkioStats.IoServicedRecursive.Add(new BlkioStatsEntry { Major = 8, Op = "Read", Value = 7 });
        stats.HugetlbStats["2MB"] = new HugetlbStats();
        var response = new StatsContainerResponse { CgroupStats = stats };
        response.NetworkStats.Add(new NetworkStats { Name = "eth0", RxBytes = 1 });

        string golden = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", "stats.json"));
        Assert.Equal(golden, Encoding.UTF8.GetString(EventLine.Stats(s_id, response)));
    }

    [Fact]
    public void Stats_NothingInIt_IsOneLineOfJson()
    {
        string text = Encoding.UTF8.GetString(EventLine.Stats(s_id, new StatsContainerResponse()));
        Assert.Equal(text.Length - 1, text.IndexOf('\n', StringComparison.Ordinal));
        using var document = JsonDocument.Parse(text);
        Assert.Equal(
            0ul, document.RootElement.GetProperty("data").GetProperty("memory").GetProperty("usage").GetProperty("limit").GetUInt64());
    }

    [Fact]
    public void Stats_GuestNamesThings_TextIsEscaped()
    {
        var response = new StatsContainerResponse { CgroupStats = new CgroupStats { MemoryStats = new MemoryStats() } };
        response.CgroupStats.MemoryStats.Stats["\u001b[2J\n"] = 1;
        string text = Encoding.UTF8.GetString(EventLine.Stats(s_id, response));
        Assert.Contains("\"\\\\x1b[2J\\\\x0a\":1", text, StringComparison.Ordinal);
    }
}
