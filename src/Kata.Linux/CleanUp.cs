using System.Runtime.ExceptionServices;

namespace Kata.Linux;

/// <summary>Steps of a clean-up: each is taken, whatever the others said, and the first failure comes out at the end.</summary>
internal sealed class CleanUp
{
    private ExceptionDispatchInfo? _first;

    /// <summary>What went wrong first, or null.</summary>
    public Exception? Failure => _first?.SourceException;

    public void Try(Action step)
    {
        try
        {
            step();
        }
        catch (Exception error) // a border: clean-up goes on whatever one step says
        {
            _first ??= ExceptionDispatchInfo.Capture(error);
        }
    }

    public async Task TryAsync(Func<Task> step)
    {
        try
        {
            await step();
        }
        catch (Exception error) // as above
        {
            _first ??= ExceptionDispatchInfo.Capture(error);
        }
    }

    /// <summary>Throws the first failure, if there was one.</summary>
    public void ThrowIfFailed() => _first?.Throw();
}
