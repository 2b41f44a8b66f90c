using System.Text.RegularExpressions;

namespace Kata.Runtime;

/// <summary>The command's own arguments as a log may hold them.</summary>
internal static partial class Arguments
{
    /// <summary>Joined with spaces; what <c>--env</c> sets is left out, it may be a secret.</summary>
    public static string ForLog(IReadOnlyList<string> arguments)
    {
        var shown = new List<string>();
        for (int i = 0; i < arguments.Count; i++)
        {
            bool afterEnv = i > 0 && EnvOption().IsMatch(arguments[i - 1]);
            Match match = afterEnv ? Variable().Match(arguments[i]) : EnvWithVariable().Match(arguments[i]);
            shown.Add(match.Success ? $"{match.Value}..." : arguments[i]);
        }

        return string.Join(' ', shown);
    }

    // The option alone, perhaps at the end of bundled ones. Hiding what is none costs nothing.
    [GeneratedRegex("^(--env|-[a-z]*e)$")]
    private static partial Regex EnvOption();

    // The option and its variable in one word.
    [GeneratedRegex("^(--env[=:]|-[a-z]*e[=:]?)[^=]+=")]
    private static partial Regex EnvWithVariable();

    [GeneratedRegex("^[^=]+=")]
    private static partial Regex Variable();
}
