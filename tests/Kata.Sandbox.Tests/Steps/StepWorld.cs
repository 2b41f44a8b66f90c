using System.Globalization;

namespace Kata.Sandbox.Tests.Steps;

/// <summary>Where <see cref="WorldStep"/>s make their directories, with a real journal and a record of what happened.</summary>
internal sealed class StepWorld : IDisposable
{
    private readonly string _things;
    private readonly string _journal;
    private readonly Lock _gate = new();
    private readonly List<string> _history = []; // guarded by _gate
    private readonly TaskCompletionSource _killed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _dead; // guarded by _gate

    public StepWorld(string directory)
    {
        _things = Directory.CreateDirectory(Path.Combine(directory, "things")).FullName;
        _journal = Path.Combine(directory, "journal");
        Journal = AcquisitionJournal.Open(_journal);
    }

    public AcquisitionJournal Journal { get; }

    /// <summary>Completes when a step's process has died.</summary>
    public Task Killed => _killed.Task;

    /// <summary>What was made (<c>+N</c>) and released (<c>-N</c>), in order.</summary>
    public IReadOnlyList<string> History
    {
        get
        {
            lock (_gate)
            {
                return [.. _history];
            }
        }
    }

    public IReadOnlyList<Acquisition> Held => AcquisitionJournal.ReadHeld(_journal);

    public IReadOnlyList<string> Exists => Directory.GetDirectories(_things);

    public string PathOf(int number) => Path.Combine(_things, number.ToString(CultureInfo.InvariantCulture));

    public void Make(int number) => Happen($"+{number}", () => Directory.CreateDirectory(PathOf(number)));

    public void Release(int number) => Happen($"-{number}", () => Directory.Delete(PathOf(number)));

    /// <summary>The process of the executor ends here: nothing of it happens any more.</summary>
    public Task DieAsync()
    {
        lock (_gate)
        {
            _dead = true;
        }

        _killed.TrySetResult();
        return new TaskCompletionSource().Task;
    }

    /// <summary>Removes what the journal holds, as whoever comes after a kill does.</summary>
    public void Remove()
    {
        foreach (Acquisition thing in Held)
        {
            thing.ReleaseAsync(CancellationToken.None).GetAwaiter().GetResult();
        }
    }

    public bool WasMadeInOrder(IReadOnlyList<WorldStep> steps)
    {
        List<string> history = [.. History];
        return history.Distinct().Count() == history.Count && steps.Where(step => history.Contains($"+{step.Number}")).All(
            step => step.Needs.Cast<WorldStep>()
                .All(need => history.IndexOf($"+{need.Number}") is >= 0 and var made && made < history.IndexOf($"+{step.Number}")));
    }

    /// <summary>Everything that was made, and nothing before what needs it. Those that do not need each other have no order.</summary>
    public bool WasReleasedInReverse(IReadOnlyList<WorldStep> steps)
    {
        List<string> history = [.. History];
        WorldStep[] made = [.. steps.Where(step => history.Contains($"+{step.Number}"))];
        return history.Count == 2 * made.Length && made.All(step => history.IndexOf($"-{step.Number}") is >= 0 and var released
            && step.Needs.Cast<WorldStep>().All(need => released < history.IndexOf($"-{need.Number}")));
    }

    public void Dispose() => Journal.Dispose();

    private void Happen(string what, Action act)
    {
        lock (_gate)
        {
            if (!_dead)
            {
                act();
                _history.Add(what);
            }
        }
    }
}
