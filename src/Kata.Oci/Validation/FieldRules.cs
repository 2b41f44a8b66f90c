using System.Globalization;

namespace Kata.Oci;

/// <summary>The rules that several fields share.</summary>
internal static class FieldRules
{
    private const int MaxPath = 4096; // PATH_MAX, with its zero byte

    internal static InvalidSpecException Bad(string pointer, string value, string remedy) =>
        new(pointer, $"holds {SpecText.Quote(value)}", remedy);

    internal static string At(string pointer, int index) => string.Create(CultureInfo.InvariantCulture, $"{pointer}/{index}");

    internal static T NotNull<T>(string pointer, T? item)
        where T : class => item ?? throw new InvalidSpecException(pointer, "holds null", "It must be an object");

    internal static void CheckText(string pointer, string value, string what)
    {
        if (value.Length == 0)
            throw new InvalidSpecException(pointer, "is empty", $"It must name {what}");
        CheckNoNul(pointer, value);
    }

    internal static void CheckNoNul(string pointer, string value)
    {
        if (value.Contains('\0', StringComparison.Ordinal))
            throw Bad(pointer, value, "Remove the zero character: the kernel cannot take it");
    }

    internal static void CheckAbsolute(string pointer, string path)
    {
        if (path.Length == 0)
            throw new InvalidSpecException(pointer, "is empty", "It must be an absolute path");
        CheckNoNul(pointer, path);
        if (path[0] != '/')
            throw new InvalidSpecException(pointer, $"holds the relative path {SpecText.Quote(path)}", "It must be an absolute path");
        if (path.Length >= MaxPath)
        {
            throw new InvalidSpecException(
                pointer,
                string.Create(CultureInfo.InvariantCulture, $"holds a path of {path.Length} characters"),
                string.Create(CultureInfo.InvariantCulture, $"A path has at most {MaxPath - 1}"));
        }
    }

    internal static void CheckStrings(string pointer, IReadOnlyList<string>? items)
    {
        for (int i = 0; i < (items?.Count ?? 0); i++)
            CheckNoNul(At(pointer, i), items![i] ?? throw new InvalidSpecException(At(pointer, i), "holds null", "It must be a string"));
    }

    internal static void CheckOneOf(string pointer, string? value, ReadOnlySpan<string> allowed)
    {
        if (value is not null && !allowed.Contains(value))
            throw Bad(pointer, value, $"It must be one of {string.Join(", ", allowed!)}");
    }

    internal static void CheckRange(string pointer, long? value, long min, long max)
    {
        if (value < min || value > max)
        {
            throw new InvalidSpecException(
                pointer,
                string.Create(CultureInfo.InvariantCulture, $"holds the number {value}"),
                string.Create(CultureInfo.InvariantCulture, $"It must be from {min} to {max}"));
        }
    }
}
