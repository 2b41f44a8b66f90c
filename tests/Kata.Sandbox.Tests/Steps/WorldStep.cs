namespace Kata.Sandbox.Tests.Steps;

/// <summary>A step that makes a directory, and does what a test wants on the way.</summary>
internal sealed class WorldStep(StepWorld world, int number, IReadOnlyList<Step> needs) : Step
{
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IReadOnlyList<Step> _needs = needs;

    public bool Waits { get; init; }

    public bool Yields { get; init; }

    public bool IgnoresCancellation { get; init; }

    public bool Fails { get; init; }

    /// <summary>Its process dies after its record, before or after the thing is made.</summary>
    public bool IsKilled { get; init; }

    public bool RefusesUndo { get; set; }

    public int Number => number;

    public Task Begun => _begun.Task;

    public override string Name => $"step {number}";

    public override IReadOnlyList<Step> Needs => _needs;

    public override IReadOnlyList<Acquisition> Records => [new DirectoryAcquisition(world.PathOf(number))];

    public void SetNeeds(IReadOnlyList<Step> value) => _needs = value;

    public void GoOn() => _goOn.SetResult();

    public override async Task DoAsync(CancellationToken cancellationToken)
    {
        _begun.SetResult();
        if (Yields)
        {
            await Task.Yield();
        }

        if (Waits)
        {
            await _goOn.Task.WaitAsync(IgnoresCancellation ? CancellationToken.None : cancellationToken);
        }

        if (IsKilled)
        {
            if (number % 2 == 0)
            {
                world.Make(number);
            }

            await world.DieAsync();
        }

        if (Fails)
        {
            throw new StepRefusedException(number);
        }

        world.Make(number);
    }

    public override Task UndoAsync(CancellationToken cancellationToken)
    {
        if (RefusesUndo)
        {
            throw new StepRefusedException(number);
        }

        world.Release(number);
        return Task.CompletedTask;
    }
}
