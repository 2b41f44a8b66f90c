using System.Runtime.ExceptionServices;
using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>
/// Takes steps, each as soon as what it needs is there, and takes them back in reverse. Thread-safe: several may be at it at once, with
/// steps of their own.
/// </summary>
/// <param name="journal">Where what a step acquires is recorded; borrowed.</param>
internal sealed class StepExecutor(AcquisitionJournal journal)
{
    private readonly Lock _gate = new();
    private readonly List<Step> _done = []; // in the order of their completion; guarded by _gate

    /// <summary>What has been acquired and not released, oldest first.</summary>
    public IReadOnlyList<Step> Done
    {
        get
        {
            lock (_gate)
            {
                return [.. _done];
            }
        }
    }

    /// <summary>
    /// Takes all of the steps or none: when one fails, no other is begun, those that have begun come to their end, and what was done is
    /// undone. What cannot be undone stays among <see cref="Done"/>, with what it needs, and can be asked again.
    /// </summary>
    /// <param name="steps">Each once; what they need is among them or done already.</param>
    /// <param name="cancellationToken">Calls it off, with the same effect.</param>
    /// <exception cref="Exception">The first failure.</exception>
    public async Task RunAsync(IReadOnlyCollection<Step> steps, CancellationToken cancellationToken)
    {
        IReadOnlyList<Step> done = Done;
        IReadOnlyList<Step> ordered = Order(steps, done);
        // Ends early on: the caller, or the first step that fails.
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ExceptionDispatchInfo? failure = null;
        Dictionary<Step, Task> tasks = [];
        foreach (Step step in ordered)
        {
            tasks[step] = TakeInTurnAsync(step, [.. step.Needs.Where(tasks.ContainsKey).Select(need => tasks[need])]);
        }

        await Task.WhenAll(tasks.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (tasks.Values.All(static task => task.IsCompletedSuccessfully))
        {
            return;
        }

        await RollBackAsync(steps);
        failure!.Throw();

        async Task TakeInTurnAsync(Step step, Task[] needs)
        {
            await Task.WhenAll(needs);
            try
            {
                await TakeAsync(step, stopping.Token);
            }
            catch (Exception error) // remembered, and thrown at the end of the run
            {
                Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(error), null);
                await stopping.CancelAsync();
                throw;
            }
        }
    }

    /// <summary>
    /// Takes steps back, newest first. Stops at the first that cannot be: it and those before it are as they were, and the call may be
    /// repeated.
    /// </summary>
    /// <exception cref="Exception">Why that one cannot be taken back.</exception>
    public async Task UndoAsync(IReadOnlyCollection<Step> steps, CancellationToken cancellationToken)
    {
        if (Done.FirstOrDefault(other => !steps.Contains(other) && other.Needs.Any(steps.Contains)) is { } dependent)
        {
            throw new InvalidOperationException($"'{dependent.Name}' needs what is to be released");
        }

        foreach (Step step in Done.Reverse().Where(steps.Contains))
        {
            await step.UndoAsync(cancellationToken);
            Forget(step);
        }
    }

    /// <summary>Takes everything back, newest first, whatever one of them says; the first failure comes out at the end.</summary>
    public async Task UndoAllAsync()
    {
        var cleanUp = new CleanUp();
        foreach (Step step in Done.Reverse())
        {
            await cleanUp.TryAsync(async () =>
            {
                try
                {
                    await step.UndoAsync(CancellationToken.None);
                }
                catch
                {
                    Forget(step, released: false); // its record stays, for a remover
                    throw;
                }

                Forget(step);
            });
        }

        cleanUp.ThrowIfFailed();
    }

    // What a step needs comes before it.
    private static List<Step> Order(IReadOnlyCollection<Step> steps, IReadOnlyList<Step> done)
    {
        var ordered = new List<Step>();
        var visiting = new HashSet<Step>();
        foreach (Step step in steps)
        {
            Visit(step);
        }

        return ordered;

        void Visit(Step step)
        {
            if (ordered.Contains(step))
            {
                return;
            }

            if (!visiting.Add(step))
            {
                throw new InvalidOperationException($"'{step.Name}' needs itself");
            }

            foreach (Step need in step.Needs.Where(need => !done.Contains(need)))
            {
                if (!steps.Contains(need))
                {
                    throw new InvalidOperationException($"'{step.Name}' needs '{need.Name}', which nobody makes");
                }

                Visit(need);
            }

            ordered.Add(step);
        }
    }

    // The failure of the run is what its caller is told.
    private async Task RollBackAsync(IReadOnlyCollection<Step> steps)
    {
        foreach (Step step in Done.Reverse().Where(steps.Contains))
        {
            if (Done.Any(other => other.Needs.Contains(step)))
            {
                continue; // one that could not be undone needs it
            }

            var cleanUp = new CleanUp();
            await cleanUp.TryAsync(() => step.UndoAsync(CancellationToken.None));
            if (cleanUp.Failure is null)
            {
                Forget(step);
            }
        }
    }

    private async Task TakeAsync(Step step, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var recorded = new List<Acquisition>();
        try
        {
            foreach (Acquisition thing in step.Records)
            {
                journal.Record(thing);
                recorded.Add(thing);
            }

            await step.DoAsync(cancellationToken);
        }
        catch
        {
            TakeBack(recorded);
            throw;
        }

        lock (_gate)
        {
            _done.Add(step);
        }
    }

    private void Forget(Step step, bool released = true)
    {
        lock (_gate)
        {
            _done.Remove(step);
        }

        if (released)
        {
            TakeBack(step.Records);
        }
    }

    // A full disk: the thing still counts as held, and to release it again does no harm.
    private void TakeBack(IEnumerable<Acquisition> things)
    {
        foreach (Acquisition thing in things.Reverse())
        {
            try
            {
                journal.Release(thing);
            }
            catch (LinuxException)
            {
            }
        }
    }
}
