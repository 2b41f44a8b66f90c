using Kata.Agent.Protocol;
using Kata.Testing;

namespace Kata.Agent.Tests;

public sealed class ByteCreditTests
{
    private const int Limit = 1024;

    private readonly ByteCredit _credit = new(Limit);

    [Fact]
    public async Task WaitAsync_CreditFromTheBeginning_SaysHowMuch() =>
        Assert.Equal(5, await new ByteCredit(Limit, initial: 5).WaitAsync(100, CancellationToken.None).AsTask().Within());

    [Fact]
    public async Task WaitAsync_MoreThanIsWanted_SaysTheMaximumAndTakesNothing()
    {
        _credit.Grant(10);
        Assert.Equal(4, await _credit.WaitAsync(4, CancellationToken.None).AsTask().Within());
        Assert.Equal(10, await _credit.WaitAsync(100, CancellationToken.None).AsTask().Within());
    }

    [Fact]
    public async Task WaitAsync_NoCredit_WaitsForAGrant()
    {
        Task<int> waiting = _credit.WaitAsync(100, CancellationToken.None).AsTask();
        _credit.Grant(0);
        Assert.False(waiting.IsCompleted);
        _credit.Grant(3);
        Assert.Equal(3, await waiting.Within());
    }

    [Fact]
    public async Task WaitAsync_AllTaken_WaitsAgain()
    {
        _credit.Grant(3);
        Assert.True(_credit.TryTake(3));
        Task<int> waiting = _credit.WaitAsync(100, CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);
        _credit.Grant(2);
        Assert.Equal(2, await waiting.Within());
    }

    [Fact]
    public async Task WaitAsync_Cancelled_EndsAndLeavesTheCredit()
    {
        using var cancellation = new CancellationTokenSource();
        Task<int> waiting = _credit.WaitAsync(5, cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting).Within();
        _credit.Grant(1);
        Assert.Equal(1, await _credit.WaitAsync(5, CancellationToken.None).AsTask().Within());
    }

    [Fact]
    public void TryTake_MoreThanThereIs_TakesNothing()
    {
        _credit.Grant(5);
        Assert.False(_credit.TryTake(6));
        Assert.True(_credit.TryTake(5));
        Assert.False(_credit.TryTake(1));
    }

    [Fact]
    public void Grant_BeyondTheLimit_IsRefusedAndChangesNothing()
    {
        _credit.Grant(Limit);
        Assert.Throws<InvalidDataException>(() => _credit.Grant(1));
        Assert.Throws<InvalidDataException>(() => _credit.Grant(uint.MaxValue));
        Assert.True(_credit.TryTake(Limit));
        _credit.Grant(Limit); // the limit is of what is there, not of all that ever was
    }
}
