using Kata.Linux;

namespace Kata.Network.Tests;

/// <summary>A card that owns the queues of its tap.</summary>
internal sealed class OpenCard : IDisposable
{
    private readonly IReadOnlyList<SafeFileDescriptor> _queues;

    public OpenCard(Tap tap)
    {
        _queues = tap.Take();
        Card = new Card(_queues);
    }

    public Card Card { get; }

    public void Dispose()
    {
        foreach (SafeFileDescriptor queue in _queues)
        {
            queue.Dispose();
        }
    }
}
