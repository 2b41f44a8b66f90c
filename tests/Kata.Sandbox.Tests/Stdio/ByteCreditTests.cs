using Kata.Testing;

namespace Kata.Sandbox.Tests;

public sealed class ByteCreditTests
{
    private readonly ByteCredit _credit = new();

    [Fact]
    public async Task TakeAsync_LessGranted_TakesWhatIsThere()
    {
        _credit.Grant(10);
        Assert.Equal(10, await _credit.TakeAsync(100, CancellationToken.None).Within());
    }

    [Fact]
    public async Task TakeAsync_MoreGranted_LeavesTheRest()
    {
        _credit.Grant(10);
        Assert.Equal(4, await _credit.TakeAsync(4, CancellationToken.None).Within());
        Assert.Equal(6, await _credit.TakeAsync(100, CancellationToken.None).Within());
    }

    [Fact]
    public async Task TakeAsync_NoCredit_WaitsForAGrant()
    {
        Task<int> take = _credit.TakeAsync(5, CancellationToken.None);
        _credit.Grant(0);
        Assert.False(take.IsCompleted);
        _credit.Grant(3);
        Assert.Equal(3, await take.Within());
    }

    [Fact]
    public async Task Return_Unused_CanBeTakenAgain()
    {
        _credit.Grant(10);
        int taken = await _credit.TakeAsync(10, CancellationToken.None).Within();
        _credit.Return(taken - 2);
        Assert.Equal(8, await _credit.TakeAsync(10, CancellationToken.None).Within());
    }

    [Fact]
    public async Task TakeAsync_Cancelled_Ends()
    {
        using var cancellation = new CancellationTokenSource();
        Task<int> take = _credit.TakeAsync(5, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => take).Within();
    }

    [Fact]
    public void Grant_AbsurdSum_Throws()
    {
        _credit.Grant(64 * 1024 * 1024);
        Assert.Throws<InvalidDataException>(() => _credit.Grant(1));
    }

    [Fact]
    public void Grant_LargestValue_Throws() => Assert.Throws<InvalidDataException>(() => _credit.Grant(uint.MaxValue));
}
