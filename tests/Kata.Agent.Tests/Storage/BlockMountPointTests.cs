using Grpc.Core;
using Kata.Agent.Storage;

namespace Kata.Agent.Tests;

public sealed class BlockMountPointTests
{
    [Theory]
    [InlineData("/mnt")]
    [InlineData("/mnt/data")]
    [InlineData("/run/volumes/a b")]
    [InlineData("/run/kata-containers/shared/other")]
    [InlineData("/device")]
    [InlineData("/system/x")]
    [InlineData("/...")]
    public void Check_Directory_IsTaken(string path) => Assert.Equal(path, BlockMountPoint.Check(path));

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("mnt")]
    [InlineData("/mnt/")]
    [InlineData("//mnt")]
    [InlineData("/mnt//data")]
    [InlineData("/mnt/../etc")]
    [InlineData("/mnt/./data")]
    [InlineData("/mnt/..")]
    [InlineData("/mnt\0/data")]
    [InlineData("/proc")]
    [InlineData("/proc/x")]
    [InlineData("/sys/fs/cgroup/x")]
    [InlineData("/dev")]
    [InlineData("/dev/shm/x")]
    [InlineData("/run")]
    [InlineData("/run/kata-containers")]
    [InlineData("/run/kata-containers/shared")]
    [InlineData("/run/kata-containers/shared/containers")]
    [InlineData("/run/kata-containers/shared/containers/c/rootfs")]
    public void Check_WhereTheGuestHasItsOwn_IsRefused(string path) => Assert.Equal(StatusCode.InvalidArgument, RefusalOf(path).StatusCode);

    [Fact]
    public void Check_LongPath_IsRefused()
    {
        Assert.NotEmpty(BlockMountPoint.Check("/" + new string('x', 4094)));
        Assert.Contains("4096", RefusalOf("/" + new string('x', 4095)).Status.Detail);
    }

    private static RpcException RefusalOf(string path) => Assert.Throws<RpcException>(() => BlockMountPoint.Check(path));
}
