using CsCheck;
using Kata.Testing;

namespace Kata.Sandbox.Tests.Steps;

public sealed class StepExecutorTests : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Run_StepsThatNeedNothing_RunBesideEachOther()
    {
        using var world = new StepWorld(_directory.File("beside"));
        var first = new WorldStep(world, 0, []) { Waits = true };
        var second = new WorldStep(world, 1, []) { Waits = true };
        var third = new WorldStep(world, 2, [first, second]);
        var executor = new StepExecutor(world.Journal);

        Task run = executor.RunAsync([third, second, first], Cancellation);
        await first.Begun.WaitAsync(s_limit, Cancellation);
        await second.Begun.WaitAsync(s_limit, Cancellation);
        Assert.False(third.Begun.IsCompleted);
        second.GoOn();
        first.GoOn();
        await run.WaitAsync(s_limit, Cancellation);

        Assert.Same(third, executor.Done[^1]);
        Assert.Equal(3, executor.Done.Count);
    }

    [Fact]
    public async Task Run_OneFails_TheOthersComeToTheirEndAndAreUndone()
    {
        using var world = new StepWorld(_directory.File("fails"));
        var slow = new WorldStep(world, 0, []) { Waits = true, IgnoresCancellation = true };
        var failing = new WorldStep(world, 1, []) { Fails = true };
        var never = new WorldStep(world, 2, [slow]);
        var executor = new StepExecutor(world.Journal);

        Task run = executor.RunAsync([slow, failing, never], Cancellation);
        await slow.Begun.WaitAsync(s_limit, Cancellation);
        slow.GoOn();

        StepRefusedException failure = await Assert.ThrowsAsync<StepRefusedException>(() => run.WaitAsync(s_limit, Cancellation));
        Assert.Equal(1, failure.Step);
        Assert.Equal(["+0", "-0"], world.History);
        Assert.Empty(executor.Done);
        Assert.Empty(world.Held);
    }

    [Fact]
    public async Task Run_CalledOff_UndoesWhatWasDone()
    {
        using var world = new StepWorld(_directory.File("off"));
        var first = new WorldStep(world, 0, []);
        var waiting = new WorldStep(world, 1, [first]) { Waits = true };
        using var caller = new CancellationTokenSource();
        Task run = new StepExecutor(world.Journal).RunAsync([first, waiting], caller.Token);
        await waiting.Begun.WaitAsync(s_limit, Cancellation);
        await caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(s_limit, Cancellation));

        Assert.Equal(["+0", "-0"], world.History);
    }

    [Fact]
    public async Task Undo_StepThatRefuses_StaysWithThoseBeforeItAndCanBeAskedAgain()
    {
        using var world = new StepWorld(_directory.File("refuses"));
        var disk = new WorldStep(world, 0, []);
        var plug = new WorldStep(world, 1, [disk]) { RefusesUndo = true };
        var mount = new WorldStep(world, 2, [plug]);
        var executor = new StepExecutor(world.Journal);
        await executor.RunAsync([disk, plug, mount], Cancellation);

        await Assert.ThrowsAsync<StepRefusedException>(() => executor.UndoAsync([disk, plug, mount], Cancellation));
        Assert.Equal([disk, plug], executor.Done);
        Assert.Equal(2, world.Held.Count);

        plug.RefusesUndo = false;
        await executor.UndoAsync([disk, plug, mount], Cancellation);
        Assert.Empty(executor.Done);
        Assert.Equal(["+0", "+1", "+2", "-2", "-1", "-0"], world.History);
        Assert.Empty(world.Held);
    }

    /// <summary>A disk that the guest could not mount, and does not let go of: it is still there, and can be removed later.</summary>
    [Fact]
    public async Task Run_RollbackThatIsRefused_KeepsTheStepAndWhatItNeeds()
    {
        using var world = new StepWorld(_directory.File("kept"));
        var disk = new WorldStep(world, 0, []);
        var plug = new WorldStep(world, 1, [disk]) { RefusesUndo = true };
        var mount = new WorldStep(world, 2, [plug]) { Fails = true };
        var executor = new StepExecutor(world.Journal);

        StepRefusedException failure = await Assert.ThrowsAsync<StepRefusedException>(
            () => executor.RunAsync([disk, plug, mount], Cancellation));
        Assert.Equal(2, failure.Step);
        Assert.Equal([disk, plug], executor.Done);
        Assert.Equal(2, world.Held.Count);

        plug.RefusesUndo = false;
        await executor.UndoAsync([disk, plug, mount], Cancellation);
        Assert.Equal(["+0", "+1", "-1", "-0"], world.History);
        Assert.Empty(world.Held);
    }

    [Fact]
    public async Task Undo_WhatAnotherNeeds_IsAMistake()
    {
        using var world = new StepWorld(_directory.File("needed"));
        var disk = new WorldStep(world, 0, []);
        var plug = new WorldStep(world, 1, [disk]);
        var executor = new StepExecutor(world.Journal);
        await executor.RunAsync([disk], Cancellation);
        await executor.RunAsync([plug], Cancellation); // its need is done already

        await Assert.ThrowsAsync<InvalidOperationException>(() => executor.UndoAsync([disk], Cancellation));
        Assert.Equal([disk, plug], executor.Done);
    }

    [Fact]
    public async Task UndoAll_OneRefuses_TheOthersGoAndItsRecordStays()
    {
        using var world = new StepWorld(_directory.File("all"));
        var first = new WorldStep(world, 0, []);
        var second = new WorldStep(world, 1, [first]) { RefusesUndo = true };
        var executor = new StepExecutor(world.Journal);
        await executor.RunAsync([first, second], Cancellation);

        await Assert.ThrowsAsync<StepRefusedException>(executor.UndoAllAsync);

        Assert.Equal(["+0", "+1", "-0"], world.History);
        Assert.Equal([second.Records[0]], world.Held);
    }

    [Fact]
    public async Task Run_CircleOrMissingNeed_IsAMistakeBeforeAnythingIsDone()
    {
        using var world = new StepWorld(_directory.File("circle"));
        var first = new WorldStep(world, 0, []);
        var second = new WorldStep(world, 1, [first]);
        first.SetNeeds([second]);
        var executor = new StepExecutor(world.Journal);

        await Assert.ThrowsAsync<InvalidOperationException>(() => executor.RunAsync([first, second], Cancellation));
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => executor.RunAsync([new WorldStep(world, 2, [new WorldStep(world, 3, [])])], Cancellation));
        Assert.Empty(world.History);
    }

    /// <summary>
    /// For random graphs, random failures and a kill after any record: what was acquired is what is released, each once, and nothing before
    /// what needs it. A kill is an executor that goes no further; the remover is the one of a dead pod, over the journal.
    /// </summary>
    [Fact]
    public void Run_AnyGraphWithAnyFailureOrKill_ReleasesWhatItAcquiredOnceInReverse() => Gen.Select(
            Gen.Int[1, 12], Gen.Int[0, int.MaxValue], Gen.Int[-1, 12], Gen.Int[-1, 12])
        .Sample(
            (count, seed, failing, killed) =>
            {
                using var world = new StepWorld(_directory.File($"{count}-{seed}-{failing}-{killed}-{Guid.NewGuid():N}"));
                var random = new Random(seed);
                var steps = new List<WorldStep>();
                for (int i = 0; i < count; i++)
                {
                    steps.Add(new WorldStep(world, i, [.. steps.Where(_ => random.Next(3) == 0)])
                    {
                        Fails = i == failing,
                        IsKilled = i == killed,
                        Yields = random.Next(2) == 0,
                    });
                }

                Step[] shuffled = [.. steps];
                random.Shuffle(shuffled);
                var executor = new StepExecutor(world.Journal);
                Task run = executor.RunAsync(shuffled, CancellationToken.None);
                bool died = Task.WhenAny(run, world.Killed).WaitAsync(s_limit).GetAwaiter().GetResult() != run;
                if (died)
                {
                    world.Remove();
                    return world.Exists.Count == 0 && world.WasMadeInOrder(steps);
                }

                if (failing < 0 || failing >= count)
                {
                    executor.UndoAllAsync().GetAwaiter().GetResult();
                }

                return world.Exists.Count == 0 && world.Held.Count == 0 && world.WasMadeInOrder(steps) && world.WasReleasedInReverse(steps);
            },
            iter: 300, threads: 1);
}
