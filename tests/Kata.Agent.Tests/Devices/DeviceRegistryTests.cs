using Kata.Testing;

namespace Kata.Agent.Tests;

public sealed class DeviceRegistryTests : IDisposable
{
    private readonly AnnouncedDevices _devices = new();
    private readonly SemaphoreSlim _looked = new(0);
    private volatile string? _there;

    public void Dispose()
    {
        _devices.Dispose();
        _looked.Dispose();
    }

    [Fact]
    public async Task WaitAsync_DeviceIsThere_AnswersWithoutAnAnnouncement()
    {
        _there = "a";
        Assert.Equal("a", await Wait("block").Within());
    }

    [Fact]
    public async Task WaitAsync_DeviceComes_AnswersWhenItIsAnnounced()
    {
        Task<string> wait = Wait("block");
        await _looked.WaitAsync().Within();
        _there = "a";
        Assert.False(wait.IsCompleted);
        _devices.Announce("block");
        Assert.Equal("a", await wait.Within());
    }

    [Fact]
    public async Task WaitAsync_OtherDevicesCome_LooksAgainOnlyForItsOwn()
    {
        Task<string> wait = Wait("block");
        await _looked.WaitAsync().Within();
        _devices.Announce("net");
        _devices.Announce("block2");
        _devices.Announce("block"); // another disk
        await _looked.WaitAsync().Within();
        _there = "a";
        _devices.Announce("block");
        Assert.Equal("a", await wait.Within());
        Assert.Equal(1, _looked.CurrentCount); // the look that found it: no other came in between
    }

    [Fact]
    public async Task WaitAsync_SeveralWait_AllLookAgain()
    {
        Task<string>[] waits = [Wait("block"), Wait("block"), Wait("virtio-ports")];
        for (int i = 0; i < waits.Length; i++)
        {
            await _looked.WaitAsync().Within();
        }

        _there = "a";
        _devices.Announce("block");
        await Task.WhenAll(waits[..2]).Within();
        Assert.False(waits[2].IsCompleted);
        _devices.Announce("virtio-ports");
        await waits[2].Within();
    }

    [Fact]
    public async Task WaitAsync_AnnouncementsWereLost_LooksAgain()
    {
        Task<string> wait = Wait("block");
        await _looked.WaitAsync().Within();
        _there = "a";
        _devices.Send([]); // what ENOBUFS is read as
        Assert.Equal("a", await wait.Within());
    }

    [Fact]
    public async Task WaitAsync_MessageIsNone_IsPassedOver()
    {
        Task<string> wait = Wait("block");
        await _looked.WaitAsync().Within();
        _devices.Send([.. Enumerable.Repeat((byte)'x', 20_000)]); // cut
        _devices.Send([0]);
        _there = "a";
        _devices.Announce("block");
        Assert.Equal("a", await wait.Within());
    }

    [Fact]
    public async Task WaitAsync_AnnouncedBeforeAnybodyWaits_IsReadAndForgotten()
    {
        _devices.Announce("block");
        _devices.Registry.Start();
        Task<string> wait = Wait("block");
        _there = "a";
        _devices.Announce("block");
        Assert.Equal("a", await wait.Within());
    }

    [Fact]
    public async Task WaitAsync_Cancelled_Ends()
    {
        using var cancellation = new CancellationTokenSource();
        Task<string> wait = _devices.Registry.WaitAsync("block", () => _there, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait).Within();
        _there = "a";
        Assert.Equal("a", await Wait("block").Within()); // nothing is left of it
    }

    private Task<string> Wait(string subsystem) => _devices.Registry.WaitAsync(
        subsystem,
        () =>
        {
            string? there = _there; // before the test hears of the look
            _looked.Release();
            return there;
        },
        CancellationToken.None);
}
