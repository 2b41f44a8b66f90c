using Grpc.Core;
using Kata.Agent.Storage;

namespace Kata.Agent.Tests;

public sealed class StorageDriversTests
{
    private readonly StorageDrivers _drivers = StorageDrivers.Create();

    [Fact]
    public void Names_ThisAgents_AreThoseOfTheProtocol() =>
        Assert.Equal(["virtio-fs", "9p", "ephemeral", "local", "bind", "overlayfs"], _drivers.Names);

    [Fact]
    public void AttachAsync_UnknownDriver_NamesThoseThatThereAre()
    {
        RpcException refusal = Refusal(new Protocol.Storage { Driver = "nvdimm", Source = "x", MountPoint = "/run/x" });
        Assert.Equal(StatusCode.Unimplemented, refusal.StatusCode);
        Assert.Contains("no driver 'nvdimm'. It has virtio-fs, 9p", refusal.Status.Detail);
    }

    [Theory]
    [InlineData("/etc")]
    [InlineData("/runaway")]
    [InlineData("/run/../etc")]
    [InlineData("run/x")]
    [InlineData("")]
    public void AttachAsync_MountPointElsewhere_IsRefused(string path) => Assert.All(
        _drivers.Names,
        driver => Assert.Equal(StatusCode.InvalidArgument, Refusal(new Protocol.Storage { Driver = driver, Source = "x", MountPoint = path }).StatusCode));

    [Fact]
    public void AttachAsync_HugePages_AreNotThereYet() => Assert.Equal(
        StatusCode.Unimplemented, Refusal(new Protocol.Storage { Driver = "ephemeral", Fstype = "hugetlbfs", MountPoint = "/run/x" }).StatusCode);

    private RpcException Refusal(Protocol.Storage storage) =>
        Assert.Throws<RpcException>(() => { _ = _drivers.AttachAsync(storage, CancellationToken.None); });
}
