using System.Runtime.CompilerServices;
using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("linux")]

namespace Kata.Repo.Tests;

/// <summary>The working tree that these tests were built from. Paths are relative to its root, with forward slashes.</summary>
internal static class Repository
{
    private static readonly string[] s_notOurs = ["artifacts", "bin", "obj", ".git", ".cache"];

    public static string Root { get; } = FindRoot();

    /// <summary>The names of the projects in <c>src/</c> or <c>tests/</c>, which are the names of their folders.</summary>
    public static IReadOnlyList<string> Projects(string parent) =>
        [.. Directory.EnumerateFiles(Path.Combine(Root, parent), "*.csproj", SearchOption.AllDirectories)
            .Select(Path.GetFileNameWithoutExtension).OfType<string>().Order(StringComparer.Ordinal)];

    /// <summary>Every project file.</summary>
    public static IEnumerable<string> Projects() =>
        new[] { "src", "tests", "benchmarks" }.SelectMany(static parent => Files(parent, "*.csproj"));

    /// <exception cref="InvalidOperationException">There is none: a rule about nothing is kept by everybody.</exception>
    public static IReadOnlyList<string> Files(string parent, string pattern)
    {
        List<string> files = [.. Directory.EnumerateFiles(Path.Combine(Root, parent), pattern, SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Any(s_notOurs.Contains))
            .Order(StringComparer.Ordinal)];
        return files.Count > 0 ? files
            : throw new InvalidOperationException($"Cannot look at '{parent}/{pattern}': there is no such file. Correct the rule");
    }

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    public static bool Exists(string path) => File.Exists(Path.Combine(Root, path));

    public static bool IsExecutable(string path) => File.GetUnixFileMode(Path.Combine(Root, path)).HasFlag(UnixFileMode.UserExecute);

    // Where this file was compiled, unless the compiler mapped paths (PathMap): then upwards from the executable.
    private static string FindRoot([CallerFilePath] string here = "")
    {
        foreach (string start in new[] { Path.GetDirectoryName(here) ?? "", AppContext.BaseDirectory })
        {
            for (string? directory = start; !string.IsNullOrEmpty(directory); directory = Path.GetDirectoryName(directory))
            {
                if (File.Exists(Path.Combine(directory, "Kata.slnx")))
                {
                    return directory;
                }
            }
        }

        throw new InvalidOperationException($"Cannot find the repository: no Kata.slnx above '{AppContext.BaseDirectory}'");
    }
}
