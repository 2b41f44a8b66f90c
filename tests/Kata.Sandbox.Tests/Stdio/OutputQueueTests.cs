using CsCheck;
using Kata.Testing;

namespace Kata.Sandbox.Tests;

public sealed class OutputQueueTests
{
    private const uint Window = 1000;

    private readonly List<uint> _grants = [];
    private int _closedCalls;

    [Fact]
    public Task Accept_AnyChunks_ArriveWholeInOrder() => Gen.Byte.Array[0, 50].Array[0, 18].SampleAsync(async chunks =>
    {
        using var target = GatedStream.OpenOne();
        await using OutputQueue queue = Create(target);
        foreach (byte[] chunk in chunks)
        {
            queue.Accept(chunk);
        }

        queue.Complete();
        await queue.Completion.Within();
        Assert.Equal(chunks.SelectMany(static chunk => chunk), target.Taken);
    }, iter: 50);

    [Fact]
    public async Task Accept_MoreThanTheWindow_IsTheGuestsFault()
    {
        using var target = new GatedStream();
        await using OutputQueue queue = Create(target);
        queue.Accept(new byte[Window]);
        Assert.Throws<InvalidDataException>(() => queue.Accept(new byte[1]));
    }

    [Fact]
    public async Task Accept_AfterItWasWritten_TheWindowIsFreeAgain()
    {
        using var target = GatedStream.OpenOne();
        await using OutputQueue queue = Create(target);
        for (int i = 0; i < 5; i++)
        {
            queue.Accept(new byte[Window]);
            await queue.FlushAsync().Within();
        }

        Assert.Equal(5 * Window, (uint)target.Taken.Length);
        Assert.Equal(5 * Window, (uint)_grants.Sum(static grant => grant));
    }

    [Fact]
    public async Task Accept_SmallChunks_CreditGoesOutInQuarters()
    {
        using var target = GatedStream.OpenOne();
        await using OutputQueue queue = Create(target);
        for (int i = 0; i < 10; i++)
        {
            queue.Accept(new byte[100]);
        }

        await queue.FlushAsync().Within();
        // What waits is written together: each is a quarter or more, and what is less at the end is not told.
        Assert.All(_grants, static grant => Assert.InRange(grant, 250u, Window));
        Assert.InRange(_grants.Sum(static grant => grant), 751, 1000);
    }

    [Fact]
    public async Task Accept_ReaderHasGone_IsToldOnceAndCreditStillFlows()
    {
        using GatedStream target = GatedStream.OpenOne();
        target.Broken = true;
        await using OutputQueue queue = Create(target);
        for (int i = 0; i < 4; i++)
        {
            queue.Accept(new byte[Window]);
            await queue.FlushAsync().Within();
        }

        Assert.Equal(1, _closedCalls);
        Assert.Equal(4 * Window, (uint)_grants.Sum(static grant => grant));
        Assert.Empty(target.Taken);
    }

    [Fact]
    public async Task Accept_NoTarget_DropsAndGrants()
    {
        await using OutputQueue queue = Create(null);
        queue.Accept(new byte[Window]);
        await queue.FlushAsync().Within();
        Assert.Equal([Window], _grants);
        Assert.Equal(0, _closedCalls);
    }

    [Fact]
    public async Task FlushAsync_ReaderTakesNothing_WaitsForWhatCameBefore()
    {
        using var target = new GatedStream();
        await using OutputQueue queue = Create(target);
        queue.Accept(new byte[10]);
        Task flush = queue.FlushAsync();
        queue.Accept(new byte[10]);
        await target.WriteStarted.Task.Within();
        Assert.False(flush.IsCompleted);
        target.Open();
        await flush.Within();
        Assert.True(target.Taken.Length >= 10);
    }

    [Fact]
    public async Task Complete_Queued_IsWrittenAndThenTheTargetIsClosed()
    {
        using var target = new GatedStream();
        await using OutputQueue queue = Create(target);
        queue.Accept(new byte[10]);
        queue.Complete();
        Assert.False(target.Closed.Task.IsCompleted);
        target.Open();
        await target.Closed.Task.Within();
        Assert.Equal(10, target.Taken.Length);
        await queue.FlushAsync().Within(); // after the end: nothing is left to wait for
    }

    [Fact]
    public async Task DisposeAsync_ReaderTakesNothing_EndsAndCloses()
    {
        using var target = new GatedStream();
        OutputQueue queue = Create(target);
        queue.Accept(new byte[10]);
        await queue.DisposeAsync().AsTask().Within();
        await target.Closed.Task.Within();
    }

    private OutputQueue Create(Stream? target) => new(
        target,
        Window,
        bytes =>
        {
            _grants.Add(bytes);
            return Task.CompletedTask;
        },
        () =>
        {
            _closedCalls++;
            return Task.CompletedTask;
        });
}
