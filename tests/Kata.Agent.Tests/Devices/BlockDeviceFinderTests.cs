using Grpc.Core;
using Kata.Agent.Devices;
using Kata.Testing;

namespace Kata.Agent.Tests;

public sealed class BlockDeviceFinderTests : IDisposable
{
    private readonly FakeSys _sys = new();
    private readonly AnnouncedDevices _announced = new();
    private readonly SignallingTimeProvider _clock = new();
    private readonly BlockDeviceFinder _finder;
    private int _required;

    public BlockDeviceFinderTests() =>
        _finder = new BlockDeviceFinder(_announced.Registry, new BlockDevices(_sys.Path, static _ => true), () => _required++, _clock);

    public void Dispose()
    {
        _announced.Dispose();
        _sys.Dispose();
    }

    [Fact]
    public async Task FindAsync_DiskIsPluggedIn_IsFound()
    {
        Task<string> find = _finder.FindAsync(BlockDeviceName.OfSerial("volume"), CancellationToken.None);
        Assert.False(find.IsCompleted);
        _sys.AddDisk("vda", "pci0000:00/0000:00:02.0/virtio0", "volume"u8.ToArray());
        _announced.Announce("block");
        Assert.Equal("/dev/vda", await find.Within());
        Assert.Equal(1, _required);
    }

    [Fact]
    public async Task FindAsync_DiskNeverComes_SaysWhichAndWhatThereIs()
    {
        _sys.AddDisk("vdb", "pci0000:00/0000:00:02.0/virtio0", "other"u8.ToArray());
        Task<string> find = _finder.FindAsync(BlockDeviceName.OfSerial("volume"), CancellationToken.None);
        await _clock.TimerCreated.Within();
        _clock.Advance(BlockDeviceFinder.Limit);
        RpcException refusal = await Assert.ThrowsAsync<RpcException>(() => find).Within();
        Assert.Equal(StatusCode.DeadlineExceeded, refusal.StatusCode);
        Assert.StartsWith("Cannot find the block device with the serial number 'volume': ", refusal.Status.Detail);
        Assert.Contains("within 30 s", refusal.Status.Detail);
        Assert.Contains("The guest has '/dev/vdb' (serial number 'other', PCI path '02'). Attach it to the machine", refusal.Status.Detail);
    }

    [Fact]
    public async Task FindAsync_CallerGivesUp_IsNoDeadline()
    {
        using var cancellation = new CancellationTokenSource();
        Task<string> find = _finder.FindAsync(BlockDeviceName.OfPci("02"), cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => find).Within();
    }
}
