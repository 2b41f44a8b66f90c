using System.Globalization;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>A set of processors in the list format of cpuset(7): <c>0-2,4</c>. Pure.</summary>
internal static class CpuList
{
    /// <summary>More than any kernel is built for; a list beyond it is a mistake.</summary>
    private const int LargestNumber = 65_535;

    /// <summary>How many processors a list names; one that is named twice counts once, and an empty list has none.</summary>
    /// <exception cref="InvalidSpecException">It is no list; <paramref name="field"/> is in the text.</exception>
    public static int Count(string field, string? list)
    {
        var ranges = new List<(int First, int Last)>();
        foreach (string part in (list ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string[] ends = part.Split('-', 2);
            int first = Number(ends[0]), last = Number(ends[^1]);
            if (first < 0 || first > last)
            {
                throw new InvalidSpecException(
                    field, $"holds {SpecText.Quote(list!)}", $"It must be a list like 0-2,4 of numbers up to {LargestNumber}");
            }

            ranges.Add((first, last));
        }

        ranges.Sort();
        int count = 0, next = 0;
        foreach ((int first, int last) in ranges)
        {
            count += Math.Max(0, last + 1 - Math.Max(first, next));
            next = Math.Max(next, last + 1);
        }

        return count;
    }

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= LargestNumber ? number : -1;
}
