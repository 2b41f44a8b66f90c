using Grpc.Core;
using Kata.Agent.Devices;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Oci;
using Kata.Agent.Specifications;
using Kata.Testing;
using LinuxSpec = Kata.Agent.Protocol.Oci.Linux;

namespace Kata.Agent.Tests;

public sealed class SpecDevicesTests : IDisposable
{
    private readonly FakeSys _sys = new();
    private readonly AnnouncedDevices _announced = new();
    private readonly SpecDevices _devices;
    private readonly Spec _spec = new() { Linux = new LinuxSpec { Resources = new LinuxResources() } };

    public SpecDevicesTests()
    {
        var there = new BlockDevices(_sys.Path, static _ => true);
        _devices = new SpecDevices(new BlockDeviceFinder(_announced.Registry, there, static () => { }, TimeProvider.System), there);
        _sys.AddDisk("vda", "pci0000:00/0000:00:02.0/virtio0", "a"u8.ToArray(), "254:0");
        _sys.AddDisk("vdb", "pci0000:00/0000:00:03.0/virtio1", "b"u8.ToArray(), "254:16");
    }

    public void Dispose()
    {
        _announced.Dispose();
        _sys.Dispose();
    }

    [Fact]
    public async Task AmendAsync_PassedDisk_HasTheGuestsNumbers()
    {
        Specify("/dev/xvda", 8, 32);
        Allow("b", 8, 32);
        Allow("b", 8, 48);
        Allow("c", 8, 32);
        Allow("b", 8, -1);
        await AmendAsync(new Device { Type = "blk", Id = "03", ContainerPath = "/dev/xvda" });
        Assert.Equal(("b", 254L, 16L), Numbers(Assert.Single(_spec.Linux.Devices)));
        Assert.Equal([("b", 254, 16), ("b", 8, 48), ("c", 8, 32), ("b", 8, -1)], _spec.Linux.Resources.Devices.Select(Numbers));
    }

    [Fact]
    public async Task AmendAsync_NumberOfOneIsAnothersOnTheHost_DoesNotMixThemUp()
    {
        Specify("/dev/one", 8, 0);
        Specify("/dev/two", 254, 0);
        Allow("b", 8, 0);
        Allow("b", 254, 0);
        await AmendAsync(
            new Device { Type = "blk", Options = { "serial=a" }, ContainerPath = "/dev/one" },
            new Device { Type = "mmioblk", VmPath = "/dev/vdb", ContainerPath = "/dev/two" });
        Assert.Equal([("b", 254, 0), ("b", 254, 16)], _spec.Linux.Devices.Select(Numbers));
        Assert.Equal([("b", 254, 0), ("b", 254, 16)], _spec.Linux.Resources.Devices.Select(Numbers));
    }

    [Fact]
    public async Task AmendAsync_DiskComesLater_Waits()
    {
        Specify("/dev/xvda", 8, 0);
        Task amend = _devices.AmendAsync(
            _spec, [new Device { Type = "blk", Id = "04", ContainerPath = "/dev/xvda" }], CancellationToken.None);
        _sys.AddDisk("vdc", "pci0000:00/0000:00:04.0/virtio2", number: "254:32");
        _announced.Announce("block");
        await amend.Within();
        Assert.Equal(32, Assert.Single(_spec.Linux.Devices).Minor);
    }

    [Fact]
    public async Task AmendAsync_NothingPassed_ChangesNothing()
    {
        Specify("/dev/fuse", 10, 229);
        await AmendAsync();
        await _devices.AmendAsync(new Spec(), [], CancellationToken.None);
        Assert.Equal(("b", 10L, 229L), Numbers(Assert.Single(_spec.Linux.Devices)));
    }

    [Theory]
    [InlineData("/dev/other", "blk", StatusCode.InvalidArgument)] // not in the specification
    [InlineData("/dev/xvda", "vfio-pci", StatusCode.Unimplemented)]
    [InlineData("/dev/xvda", "", StatusCode.Unimplemented)]
    public async Task AmendAsync_DeviceThatCannotBePassed_IsRefused(string path, string type, StatusCode expected)
    {
        Specify("/dev/xvda", 8, 0);
        var device = new Device { Type = type, Id = "02", ContainerPath = path };
        Assert.Equal(expected, (await Assert.ThrowsAsync<RpcException>(() => AmendAsync(device))).StatusCode);
        await Assert.ThrowsAsync<RpcException>(() => _devices.AmendAsync(new Spec(), [device], CancellationToken.None).Within());
    }

    [Fact]
    public async Task AmendAsync_TwoForOnePath_AreRefused()
    {
        Specify("/dev/xvda", 8, 0);
        var device = new Device { Type = "blk", Id = "02", ContainerPath = "/dev/xvda" };
        Assert.Contains("two of the request", (await Assert.ThrowsAsync<RpcException>(() => AmendAsync(device, device))).Status.Detail);
    }

    private void Specify(string path, long major, long minor) =>
        _spec.Linux.Devices.Add(new LinuxDevice { Path = path, Type = "b", Major = major, Minor = minor });

    private void Allow(string type, long major, long minor) =>
        _spec.Linux.Resources.Devices.Add(new LinuxDeviceCgroup { Allow = true, Type = type, Major = major, Minor = minor, Access = "rw" });

    private Task AmendAsync(params Device[] devices) => _devices.AmendAsync(_spec, devices, CancellationToken.None).Within();

    private static (string Type, long Major, long Minor) Numbers(LinuxDevice device) => (device.Type, device.Major, device.Minor);

    private static (string Type, long Major, long Minor) Numbers(LinuxDeviceCgroup rule) => (rule.Type, rule.Major, rule.Minor);
}
