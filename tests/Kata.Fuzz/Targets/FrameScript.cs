using Grpc.Core;

namespace Kata.Fuzz.Targets;

/// <summary>The peer's frames of a streaming call, then its end.</summary>
internal sealed class FrameScript<T>(IReadOnlyList<T> frames) : IAsyncStreamReader<T>
{
    private int _next;

    public T Current => frames[_next - 1];

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        bool more = _next < frames.Count;
        _next += more ? 1 : 0;
        return Task.FromResult(more);
    }
}
