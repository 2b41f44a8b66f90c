namespace Kata.Runtime;

/// <summary>The command's own arguments as a log may hold them.</summary>
internal static class Arguments
{
    /// <summary>Joined with spaces; what <c>--env</c> sets is left out, it may be a secret.</summary>
    public static string ForLog(IReadOnlyList<string> arguments)
    {
        var shown = new List<string>();
        for (int i = 0; i < arguments.Count; i++)
        {
            bool afterEnv = i > 0 && arguments[i - 1] is "-e" or "--env";
            bool env = arguments[i].StartsWith("--env=", StringComparison.Ordinal) || (arguments[i].StartsWith("-e", StringComparison.Ordinal) && arguments[i].Length > 2);
            int equals = arguments[i].IndexOf('=', env ? arguments[i].IndexOf('=', StringComparison.Ordinal) + 1 : 0);
            shown.Add((afterEnv || env) && equals > 0 ? $"{arguments[i][..equals]}=..." : arguments[i]);
        }

        return string.Join(' ', shown);
    }
}
