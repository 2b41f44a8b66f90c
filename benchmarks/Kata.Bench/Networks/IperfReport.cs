using System.Text.Json;

namespace Kata.Bench.Networks;

/// <summary>What iperf3 reports of one test, by <c>--json</c>.</summary>
/// <param name="MegabitsPerSecond">What the receiver got, all streams together.</param>
/// <param name="LossPercent">Of the datagrams that were sent, those that never came; null with TCP.</param>
internal sealed record IperfReport(double MegabitsPerSecond, double? LossPercent)
{
    /// <summary>Reads a report.</summary>
    /// <exception cref="InvalidDataException">It is none, or that of a test that failed: then iperf3's reason is in the text.</exception>
    public static IperfReport Parse(string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement root = document.RootElement;
            if (root.TryGetProperty("error", out JsonElement error))
            {
                throw new InvalidDataException($"iperf3 failed: {error.GetString()}");
            }

            // Of datagrams older versions count the received ones only in the one sum that there is.
            JsonElement end = root.GetProperty("end");
            bool isTcp = end.TryGetProperty("sum_received", out JsonElement received) && !end.TryGetProperty("sum", out _);
            JsonElement sum = isTcp ? received : end.GetProperty("sum");
            double rate = sum.GetProperty("bits_per_second").GetDouble() / 1e6;
            return new IperfReport(rate, isTcp ? null : sum.GetProperty("lost_percent").GetDouble());
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"This is no report of iperf3: {error.Message}", error);
        }
    }
}
