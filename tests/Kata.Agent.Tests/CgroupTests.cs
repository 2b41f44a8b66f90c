using Grpc.Core;
using Kata.Agent.Cgroups;

namespace Kata.Agent.Tests;

public sealed class CgroupTests
{
    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("cgroup.procs")]
    [InlineData("cgroup.kill")]
    [InlineData("../cpu.max")]
    [InlineData("cpu/max.x")]
    [InlineData("CPU.MAX")]
    [InlineData("cpu")]
    [InlineData("cpu.max\0")]
    [InlineData("cpu.nonexistent")]
    public void WriteLimit_NoLimit_IsRefused(string file)
    {
        RpcException error = Assert.Throws<RpcException>(() => new Cgroup("/nobody").WriteLimit(file, "1"));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
    }

    [Fact]
    public async Task FreezeAsync_CallerGivesUp_ThawsWhatStandsStill()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("kata-");
        await File.WriteAllTextAsync(
            Path.Combine(directory.FullName, "cgroup.events"), "populated 1\nfrozen 0\n", TestContext.Current.CancellationToken);
        var cgroup = new Cgroup("/c1", directory.FullName);
        using var deadline = new CancellationTokenSource();
        Task freeze = cgroup.FreezeAsync(frozen: true, deadline.Token);
        Assert.Equal("1", cgroup.Read("cgroup.freeze"));

        await deadline.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => freeze);
        Assert.Equal("0", cgroup.Read("cgroup.freeze"));
        directory.Delete(recursive: true);
    }

    [Fact]
    public async Task FreezeAsync_AllStandsStill_StaysSo()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("kata-");
        await File.WriteAllTextAsync(
            Path.Combine(directory.FullName, "cgroup.events"), "populated 1\nfrozen 1\n", TestContext.Current.CancellationToken);
        var cgroup = new Cgroup("/c1", directory.FullName);
        await cgroup.FreezeAsync(frozen: true, TestContext.Current.CancellationToken);
        Assert.Equal("1", cgroup.Read("cgroup.freeze"));
        directory.Delete(recursive: true);
    }
}
