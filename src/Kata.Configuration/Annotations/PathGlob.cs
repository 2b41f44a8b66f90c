namespace Kata.Configuration;

/// <summary>Whether a path is one that a list of shell patterns allows: <c>*</c> and <c>?</c> stay inside one directory.</summary>
internal static class PathGlob
{
    /// <param name="path">The path as the caller gave it; links in it are followed before it is compared.</param>
    /// <param name="patterns">Absolute patterns. One without <c>*</c> or <c>?</c> is a path, whose links are followed as well.</param>
    /// <param name="files">Follows the links.</param>
    internal static bool IsAllowed(string path, IReadOnlyList<string> patterns, IConfigurationFiles files)
    {
        string real = files.Resolve(path);
        foreach (string pattern in patterns)
        {
            if (pattern.AsSpan().IndexOfAny('*', '?') < 0 ? pattern.Length > 0 && real == files.Resolve(pattern) : Matches(real, pattern))
                return true;
        }

        return false;
    }

    // Two pointers and one place to go back to: linear for one star, at worst the product of the lengths.
    private static bool Matches(ReadOnlySpan<char> path, ReadOnlySpan<char> pattern)
    {
        int p = 0, g = 0, star = -1, restart = 0;
        while (p < path.Length)
        {
            if (g < pattern.Length && pattern[g] == '*')
                (star, restart) = (g++, p);
            else if (g < pattern.Length && (pattern[g] == path[p] || (pattern[g] == '?' && path[p] != '/')))
                (p, g) = (p + 1, g + 1);
            else if (star >= 0 && path[restart] != '/')
                (p, g) = (++restart, star + 1);
            else
                return false;
        }

        return pattern[g..].TrimStart('*').IsEmpty;
    }
}
