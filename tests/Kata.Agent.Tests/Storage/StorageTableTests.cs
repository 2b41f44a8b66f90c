using Grpc.Core;
using Kata.Agent.Storage;
using Kata.Testing;

namespace Kata.Agent.Tests;

public sealed class StorageTableTests
{
    private static readonly Protocol.Storage s_storage = new() { Driver = "fake" };

    private readonly FakeDriver _driver = new();
    private readonly StorageTable _table;

    public StorageTableTests() => _table = new StorageTable(new StorageDrivers(_driver));

    [Fact]
    public async Task AddAsync_ThenRemoveAsync_FreesTheName()
    {
        _driver.Arrival.SetResult();
        _driver.Removal.SetResult();
        Assert.Equal("/dev/fake", await AddAsync());
        await RemoveAsync();
        Assert.Equal("/dev/fake", await AddAsync());
    }

    [Fact]
    public async Task RemoveAsync_NoSuchStorage_IsNotFound() =>
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(RemoveAsync)).StatusCode);

    [Fact]
    public async Task AddAsync_NameIsTakenOrBeingTaken_IsRefusedAtOnce()
    {
        Task<string> first = AddAsync();
        Assert.Equal(StatusCode.AlreadyExists, (await Assert.ThrowsAsync<RpcException>(AddAsync)).StatusCode);
        _driver.Arrival.SetResult();
        await first;
        Assert.Equal(StatusCode.AlreadyExists, (await Assert.ThrowsAsync<RpcException>(AddAsync)).StatusCode);
        Assert.False(_driver.Detached);
    }

    [Fact]
    public async Task AddAsync_Fails_FreesTheName()
    {
        _driver.Arrival.SetException(new InvalidOperationException());
        await Assert.ThrowsAsync<InvalidOperationException>(AddAsync);
        _driver.Arrival = new TaskCompletionSource();
        _driver.Arrival.SetResult();
        await AddAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(256)]
    public async Task AddAsync_NoName_IsRefused(int length) => Assert.Equal(
        StatusCode.InvalidArgument,
        (await Assert.ThrowsAsync<RpcException>(() => _table.AddAsync(new string('x', length), s_storage, CancellationToken.None)))
            .StatusCode);

    [Fact]
    public async Task AddAsync_UnknownDriver_FreesTheName()
    {
        await Assert.ThrowsAsync<RpcException>(() => _table.AddAsync("a", new Protocol.Storage { Driver = "x" }, CancellationToken.None));
        _driver.Arrival.SetResult();
        await AddAsync();
    }

    [Fact]
    public async Task RemoveAsync_WhileItIsAdded_CallsThatOff()
    {
        Task<string> add = AddAsync();
        await RemoveAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => add).Within();
        Assert.Equal(0, _driver.Removals);
        _driver.Arrival.SetResult();
        await AddAsync(); // the name is free
    }

    [Fact]
    public async Task RemoveAsync_WhileItIsMounted_WaitsUntilNothingIsLeft()
    {
        var driver = new FakeDriver { IgnoresItsToken = true };
        var table = new StorageTable(new StorageDrivers(driver));
        Task<string> add = table.AddAsync("a", s_storage, CancellationToken.None);
        Task remove = table.RemoveAsync("a", CancellationToken.None);
        Assert.False(remove.IsCompleted);
        driver.Arrival.SetResult();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => add).Within();
        await remove.Within();
        Assert.True(driver.Detached);
    }

    [Fact]
    public async Task AddAsync_ItsCallerGivesUp_LeavesNothing()
    {
        using var cancellation = new CancellationTokenSource();
        Task<string> add = _table.AddAsync("a", s_storage, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => add).Within();
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(RemoveAsync)).StatusCode);
    }

    [Fact]
    public async Task RemoveAsync_Twice_SecondWaitsAndFindsNothing()
    {
        _driver.Arrival.SetResult();
        await AddAsync();
        Task first = RemoveAsync(), second = RemoveAsync();
        // Until the removal is complete.
        Assert.Equal(StatusCode.AlreadyExists, (await Assert.ThrowsAsync<RpcException>(AddAsync)).StatusCode);
        Assert.False(second.IsCompleted);
        _driver.Removal.SetResult();
        await first;
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => second)).StatusCode);
        Assert.Equal(1, _driver.Removals);
    }

    [Fact]
    public async Task RemoveAsync_InUse_KeepsTheStorage()
    {
        _driver.Arrival.SetResult();
        await AddAsync();
        _driver.Removal.SetException(AgentException.WrongState("in use"));
        Assert.Equal(StatusCode.FailedPrecondition, (await Assert.ThrowsAsync<RpcException>(RemoveAsync)).StatusCode);
        Assert.Equal(StatusCode.FailedPrecondition, (await Assert.ThrowsAsync<RpcException>(RemoveAsync)).StatusCode);
        Assert.Equal(["a (in use)"], await _table.DetachAllAsync(CancellationToken.None).Within());
    }

    [Fact]
    public async Task DetachAllAsync_OneIsBeingAdded_LeavesNone()
    {
        _driver.Removal.SetResult();
        Task<string> add = AddAsync();
        Assert.Empty(await _table.DetachAllAsync(CancellationToken.None).Within());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => add).Within();
        Assert.Empty(await _table.DetachAllAsync(CancellationToken.None).Within());
    }

    private Task<string> AddAsync() => _table.AddAsync("a", s_storage, CancellationToken.None).Within();

    private Task RemoveAsync() => _table.RemoveAsync("a", CancellationToken.None).Within();
}
