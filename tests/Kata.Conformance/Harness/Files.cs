namespace Kata.Conformance.Harness;

/// <summary>Files of the working copy that the tests were built in.</summary>
internal static class Files
{
    /// <summary>The file in the nearest directory above the executable that has it, or null.</summary>
    public static string? FindAbove(string path)
    {
        for (string? directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (File.Exists(Path.Combine(directory, path)))
            {
                return Path.Combine(directory, path);
            }
        }

        return null;
    }
}
