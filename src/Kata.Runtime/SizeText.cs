using System.Buffers;
using System.Globalization;

namespace Kata.Runtime;

/// <summary>Sizes as Go programs take them: <c>512m</c>, <c>1.5 GiB</c>; all units are powers of 1,024.</summary>
internal static class SizeText
{
    private const string Units = "kmgtp";

    private static readonly SearchValues<char> s_digits = SearchValues.Create("0123456789.");

    /// <summary>-1 is itself, "no limit". Null when the text is malformed or too large.</summary>
    public static long? Parse(string text)
    {
        if (text == "-1")
        {
            return -1;
        }

        ReadOnlySpan<char> rest = text;
        int digits = rest.IndexOfAnyExcept(s_digits);
        ReadOnlySpan<char> unit = digits < 0 ? "" : rest[digits..];
        if (!decimal.TryParse(
            digits < 0 ? rest : rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number))
        {
            return null;
        }

        if (Factor(unit.Length > 0 && unit[0] == ' ' ? unit[1..] : unit) is not { } factor || number > long.MaxValue / factor)
        {
            return null;
        }

        return (long)(number * factor);
    }

    private static long? Factor(ReadOnlySpan<char> unit)
    {
        if (unit.IsEmpty || unit is "b" or "B")
        {
            return 1;
        }

        int power = Units.IndexOf(char.ToLowerInvariant(unit[0]), StringComparison.Ordinal);
        return power < 0 || unit.Length > 1 && unit[1..] is not ("b" or "B" or "ib" or "iB" or "IB" or "i") ? null : 1L << 10 * (power + 1);
    }
}
