using System.Buffers;
using System.Globalization;

namespace Kata.Runtime;

/// <summary>Durations as Go programs take them: <c>5s</c>, <c>1m30s</c>, <c>1.5h</c>, <c>250ms</c>.</summary>
internal static class DurationText
{
    private static readonly SearchValues<char> s_digits = SearchValues.Create("0123456789.");

    private static readonly (string Unit, decimal Ticks)[] s_units =
    [
        ("ns", TimeSpan.TicksPerMicrosecond / 1000m), ("us", TimeSpan.TicksPerMicrosecond), ("µs", TimeSpan.TicksPerMicrosecond),
        ("ms", TimeSpan.TicksPerMillisecond), ("s", TimeSpan.TicksPerSecond), ("m", TimeSpan.TicksPerMinute), ("h", TimeSpan.TicksPerHour),
    ];

    /// <summary>Null when the text is malformed or longer than a century.</summary>
    public static TimeSpan? Parse(string text)
    {
        if (text is "0")
        {
            return TimeSpan.Zero;
        }

        bool negative = text.StartsWith('-');
        ReadOnlySpan<char> rest = negative || text.StartsWith('+') ? text.AsSpan(1) : text;
        decimal ticks = 0;
        if (rest.IsEmpty)
        {
            return null;
        }

        while (!rest.IsEmpty)
        {
            int digits = rest.IndexOfAnyExcept(s_digits);
            if (digits <= 0 || digits > 20
                || !decimal.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number))
            {
                return null;
            }

            rest = rest[digits..];
            int letters = rest.IndexOfAny(s_digits);
            ReadOnlySpan<char> unit = letters < 0 ? rest : rest[..letters];
            rest = letters < 0 ? "" : rest[letters..];
            decimal factor = 0;
            foreach ((string name, decimal length) in s_units)
            {
                factor = unit.SequenceEqual(name) ? length : factor;
            }

            if (factor == 0 || number > 36_500m * TimeSpan.TicksPerDay / factor)
            {
                return null;
            }

            ticks += number * factor;
        }

        return ticks > 36_500m * TimeSpan.TicksPerDay ? null : TimeSpan.FromTicks((long)(negative ? -ticks : ticks));
    }
}
