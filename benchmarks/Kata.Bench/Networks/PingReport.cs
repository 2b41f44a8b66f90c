using System.Globalization;
using System.Text.RegularExpressions;

namespace Kata.Bench.Networks;

/// <summary>What busybox's ping writes.</summary>
internal static partial class PingReport
{
    /// <summary>The round trips' times in milliseconds, in their order; of those without an answer there is none.</summary>
    /// <exception cref="InvalidDataException">There was no answer at all.</exception>
    public static List<double> Parse(string text)
    {
        List<double> times =
        [
            .. Time().Matches(text).Select(static match => double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)),
        ];
        return times.Count > 0 ? times : throw new InvalidDataException($"Nobody has answered to ping:\n{text}");
    }

    [GeneratedRegex(@"\btime=([0-9]+(?:\.[0-9]+)?) ms\b")]
    private static partial Regex Time();
}
