namespace Kata.Sandbox;

/// <summary>
/// The host's ends of one process's standard streams. Null means <c>/dev/null</c>. With a terminal there is no standard error.
/// Whoever holds it owns the streams.
/// </summary>
internal sealed class ProcessStdio : IAsyncDisposable
{
    public Stream? Input { get; init; }

    public Stream? Output { get; init; }

    public Stream? Error { get; init; }

    public StdioNames Names { get; init; } = StdioNames.None;

    /// <summary>
    /// Keeps the input from ending while its writers come and go; null when nobody does. Disposed, the last writer's end is the input's.
    /// </summary>
    public IDisposable? InputKeeper { get; init; }

    /// <summary>Who reads the outputs, when it is ours to end: disposed of when they are closed.</summary>
    public IAsyncDisposable? Reader { get; init; }

    public async ValueTask DisposeAsync()
    {
        InputKeeper?.Dispose();
        foreach (Stream? stream in new[] { Input, Output, Error })
        {
            if (stream is not null)
            {
                await stream.DisposeAsync();
            }
        }

        if (Reader is not null)
        {
            await Reader.DisposeAsync();
        }
    }
}
