namespace Kata.Runtime;

/// <summary>Tables for people.</summary>
internal static class TextTable
{
    private const int MinimumWidth = 9;
    private const int Gap = 3;

    /// <summary>Prints rows of equal length, the headings first.</summary>
    public static void Print(List<string[]> rows)
    {
        int[] widths =
        [
            .. Enumerable.Range(0, rows[0].Length)
                .Select(column => Math.Max(MinimumWidth, rows.Max(row => row[column].Length)) + Gap),
        ];
        foreach (string[] row in rows)
        {
            Console.Out.WriteLine(
                string.Concat(row.Select((cell, column) => column == row.Length - 1 ? cell : cell.PadRight(widths[column]))));
        }
    }
}
