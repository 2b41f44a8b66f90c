using Kata.Bench.Networks;

namespace Kata.Bench.Tests;

public sealed class TurnsTests
{
    // A machine that is three times slower in the second turn: the ratio of the medians would be 1.25.
    [Fact]
    public void Publish_TurnsOfAnUnevenMachine_HasTheMedianOfTheirRatios()
    {
        var turns = new Turns();
        foreach ((double kata, double bare) in new[] { (50.0, 100.0), (150, 300), (50, 40) })
        {
            turns.Add(Station.Kata, kata);
            turns.Add(Station.Bare, bare);
        }

        var results = new SortedDictionary<string, double>(StringComparer.Ordinal);
        turns.Publish("network.x", "ms", results);
        turns.Publish("network.y", "ms", results, withRatios: false);

        Assert.Equal(
            [
                "network.x.bare_ms 100", "network.x.kata_ms 50", "network.x.kata_per_bare 0.5",
                "network.y.bare_ms 100", "network.y.kata_ms 50",
            ],
            results.Select(static pair => FormattableString.Invariant($"{pair.Key} {pair.Value}")));
    }
}
