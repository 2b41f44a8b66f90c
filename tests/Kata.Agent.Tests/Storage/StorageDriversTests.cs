using Grpc.Core;
using Kata.Agent.Devices;
using Kata.Agent.Storage;
using Kata.Testing;

namespace Kata.Agent.Tests;

public sealed class StorageDriversTests : IDisposable
{
    private readonly AnnouncedDevices _announced = new();
    private readonly StorageDrivers _drivers;

    public StorageDriversTests() =>
        _drivers = StorageDrivers.Create(
            new BlockDeviceFinder(_announced.Registry, BlockDevices.OfThisGuest, static () => { }, TimeProvider.System));

    public void Dispose() => _announced.Dispose();

    [Fact]
    public void Names_ThisAgents_AreThoseOfTheProtocol() =>
        Assert.Equal(["virtio-fs", "9p", "ephemeral", "local", "bind", "overlayfs", "blk", "mmioblk"], _drivers.Names);

    [Fact]
    public async Task AttachAsync_UnknownDriver_NamesThoseThatThereAre()
    {
        RpcException refusal = await RefusalAsync(new Protocol.Storage { Driver = "nvdimm", Source = "x", MountPoint = "/run/x" });
        Assert.Equal(StatusCode.Unimplemented, refusal.StatusCode);
        Assert.Contains("no driver 'nvdimm'. It has virtio-fs, 9p", refusal.Status.Detail);
    }

    [Theory]
    [InlineData("/etc")]
    [InlineData("/runaway")]
    [InlineData("/run/../etc")]
    [InlineData("run/x")]
    [InlineData("")]
    public async Task AttachAsync_MountPointNotBelowRun_IsRefusedWhereThereIsNoDisk(string path)
    {
        foreach (string driver in _drivers.Names.Where(static name => !name.EndsWith("blk", StringComparison.Ordinal)))
        {
            RpcException refusal = await RefusalAsync(new Protocol.Storage { Driver = driver, Source = "x", MountPoint = path });
            Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
        }
    }

    [Theory]
    [InlineData("blk", "/dev/vda")]
    [InlineData("blk", "")]
    [InlineData("mmioblk", "02")]
    [InlineData("mmioblk", "")]
    public async Task AttachAsync_SourceThatTheDriverCannotMean_IsRefused(string driver, string source)
    {
        RpcException refusal = await RefusalAsync(new Protocol.Storage { Driver = driver, Source = source });
        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
    }

    [Fact]
    public async Task AttachAsync_HugePages_AreNotThereYet()
    {
        RpcException refusal = await RefusalAsync(
            new Protocol.Storage { Driver = "ephemeral", Fstype = "hugetlbfs", MountPoint = "/run/x" });
        Assert.Equal(StatusCode.Unimplemented, refusal.StatusCode);
    }

    private Task<RpcException> RefusalAsync(Protocol.Storage storage) =>
        Assert.ThrowsAsync<RpcException>(() => _drivers.AttachAsync(storage, CancellationToken.None)).Within();
}
