namespace Kata.Storage;

/// <summary>The data of an overlay mount. Pure.</summary>
internal static class OverlayOptions
{
    /// <summary>mount(2) takes one page of data, its final NUL included.</summary>
    private const int MaxData = 4095;

    private const string Lower = "lowerdir=";

    /// <summary>
    /// Data that is too long names its layers from a directory that all of them are in: mount from there. An image of many layers
    /// needs it. Null for the directory when the data is short enough, or has no such directory.
    /// </summary>
    public static (string? Directory, string Data) Shorten(string data)
    {
        string[] options = data.Split(',');
        int at = Array.FindIndex(options, static option => option.StartsWith(Lower, StringComparison.Ordinal));
        if (data.Length <= MaxData || at < 0)
        {
            return (null, data);
        }

        string[] layers = options[at][Lower.Length..].Split(':');
        string common = layers.Aggregate(static (first, second) => first[..CommonLength(first, second)]);
        common = common[..(common.LastIndexOf('/') + 1)];
        if (common.Length <= 1 || layers.Any(layer => layer.Length == common.Length))
        {
            return (null, data);
        }

        options[at] = Lower + string.Join(':', layers.Select(layer => layer[common.Length..]));
        return (common, string.Join(',', options));
    }

    private static int CommonLength(string first, string second)
    {
        int length = Math.Min(first.Length, second.Length);
        for (int i = 0; i < length; i++)
        {
            if (first[i] != second[i])
            {
                return i;
            }
        }

        return length;
    }
}
