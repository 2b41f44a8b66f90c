namespace Kata.Fuzz.Targets;

/// <summary>
/// What works with tasks. It runs on the pool whole: where that has one thread to spare, as under afl-fuzz,
/// the same input goes the same way each time.
/// </summary>
internal abstract class AsyncTarget : IFuzzTarget
{
    /// <summary>A target that waits for itself would otherwise look like a slow machine.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    public abstract string Name { get; }

    public void Run(ReadOnlySpan<byte> input)
    {
        byte[] bytes = input.ToArray();
        Task.Run(() => RunAsync(bytes)).WaitAsync(s_limit).GetAwaiter().GetResult();
    }

    /// <inheritdoc cref="IFuzzTarget.Run"/>
    protected abstract Task RunAsync(byte[] input);
}
