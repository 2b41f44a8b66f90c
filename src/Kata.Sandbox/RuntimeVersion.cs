using System.Reflection;

namespace Kata.Sandbox;

/// <summary>The version and commit this program was built from.</summary>
internal static class RuntimeVersion
{
    /// <summary>For example <c>0.1.0</c>.</summary>
    public static string Number { get; } = Split().Number;

    /// <summary>The commit, or <c>unknown</c> for a build outside a checkout.</summary>
    public static string Commit { get; } = Split().Commit;

    /// <summary>Both, as one word: <c>0.1.0+COMMIT</c>.</summary>
    public static string Text => $"{Number}+{Commit}";

    private static (string Number, string Commit) Split()
    {
        // The Makefile stamps "VERSION+COMMIT" into the executable alone, so that a commit does not rebuild every library.
        string text = Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
            ?? "0.0.0";
        string[] parts = text.Split('+', 2);
        return (parts[0], parts.Length > 1 ? parts[1] : "unknown");
    }
}
