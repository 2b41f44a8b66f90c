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
}
