using System.Globalization;

namespace Kata.Oci;

/// <summary>The rules that several fields share.</summary>
public static partial class SpecValidator
{
    private const int MaxHostname = 64; // __NEW_UTS_LEN, linux/utsname.h
    private const int MaxPath = 4096; // PATH_MAX, with its zero byte

    private static InvalidSpecException Bad(string pointer, string value, string remedy) =>
        new(pointer, $"holds {SpecText.Quote(value)}", remedy);

    private static string At(string pointer, int index) => string.Create(CultureInfo.InvariantCulture, $"{pointer}/{index}");

    private static void CheckVersion(string version)
    {
        const string Remedy = "It must be a version of the OCI runtime specification from 1.0.0 on and below 2.0.0, such as '1.0.2'";
        string core = version.Split('-', '+')[0];
        string[] parts = core.Split('.');
        bool valid = version.Length <= MaxHostname && parts.Length == 3 && parts[0] == "1";
        foreach (string part in parts)
        {
            // SemVer 2.0.0 section 2: no leading zeros.
            valid &= int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _) && (part.Length == 1 || part[0] != '0');
        }

        foreach (char c in version.AsSpan(core.Length))
            valid &= char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '+';
        if (!valid || version[^1] is '-' or '+')
            throw Bad("/ociVersion", version, Remedy);
    }

    private static void CheckText(string pointer, string value, string what)
    {
        if (value.Length == 0)
            throw new InvalidSpecException(pointer, "is empty", $"It must name {what}");
        CheckNoNul(pointer, value);
    }

    private static void CheckNoNul(string pointer, string value)
    {
        if (value.Contains('\0', StringComparison.Ordinal))
            throw Bad(pointer, value, "Remove the zero character: the kernel cannot take it");
    }

    private static void CheckAbsolute(string pointer, string path)
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

    private static void CheckStrings(string pointer, IReadOnlyList<string>? items)
    {
        for (int i = 0; i < (items?.Count ?? 0); i++)
            CheckNoNul(At(pointer, i), items![i] ?? throw new InvalidSpecException(At(pointer, i), "holds null", "It must be a string"));
    }

    private static void CheckOneOf(string pointer, string? value, ReadOnlySpan<string> allowed)
    {
        if (value is not null && !allowed.Contains(value))
            throw Bad(pointer, value, $"It must be one of {string.Join(", ", allowed!)}");
    }

    private static void CheckRange(string pointer, long? value, long min, long max)
    {
        if (value < min || value > max)
        {
            throw new InvalidSpecException(
                pointer,
                string.Create(CultureInfo.InvariantCulture, $"holds the number {value}"),
                string.Create(CultureInfo.InvariantCulture, $"It must be from {min} to {max}"));
        }
    }

    private static void CheckHostname(string pointer, string? name)
    {
        if (name is null)
            return;
        CheckNoNul(pointer, name);
        int bytes = System.Text.Encoding.UTF8.GetByteCount(name);
        if (bytes > MaxHostname)
        {
            throw new InvalidSpecException(
                pointer,
                string.Create(CultureInfo.InvariantCulture, $"holds a name of {bytes} bytes"),
                string.Create(CultureInfo.InvariantCulture, $"The kernel takes at most {MaxHostname}"));
        }
    }
}
