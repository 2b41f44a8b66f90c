using Kata.Linux;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>Where a pod's control group is, beneath the root of each hierarchy. Pure.</summary>
internal static class CgroupPath
{
    /// <summary>Above the groups of pods that are not to count against what an orchestrator allows.</summary>
    private const string OverheadRoot = "/kata_overhead";

    private const string OwnRoot = "/kata";
    private const string Field = "/linux/cgroupsPath";

    /// <summary>
    /// A group of the pod's own below the one that the specification names, so that nobody else's process is ever in it; or
    /// <paramref name="own"/> where it names none.
    /// </summary>
    /// <param name="requested">An absolute path, one relative to <c>/kata</c>, systemd's <c>SLICE:PREFIX:NAME</c>, or null.</param>
    /// <param name="own">The group that only the pod's name decides: <c>/kata/NAME</c>.</param>
    /// <param name="inRequested">False to keep the processes out of the named group's limits: they go below <c>/kata_overhead</c>.</param>
    /// <exception cref="InvalidSpecException">The path leads out of the hierarchy.</exception>
    public static string Of(string? requested, string own, bool inRequested)
    {
        string leaf = HostCgroup.LeafPrefix + own[(own.LastIndexOf('/') + 1)..];
        string? named = string.IsNullOrEmpty(requested) ? null : Normalize(requested);
        return (named, inRequested) switch
        {
            (null, true) => own,
            (null, false) => $"{OverheadRoot}/{leaf}",
            (_, true) => $"{named}/{leaf}",
            _ => $"{OverheadRoot}{named}/{leaf}",
        };
    }

    private static string Normalize(string requested)
    {
        string path = !requested.StartsWith('/') && requested.Split(':') is [string slice, string prefix, string name]
            ? SystemdPath(slice, prefix, name)
            : requested.StartsWith('/') ? requested : $"{OwnRoot}/{requested}";
        string[] names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return names.Any(static part => part is "." or ".." || part.Contains('\0', StringComparison.Ordinal))
            ? throw new InvalidSpecException(
                Field, $"holds {SpecText.Quote(requested)}, which leads elsewhere",
                "It must be a path of plain names, or SLICE:PREFIX:NAME for systemd")
            : string.Concat(names.Select(static part => $"/{part}"));
    }

    // systemd.slice(5): a-b.slice is below a.slice; the root slice is "-.slice", or nothing.
    private static string SystemdPath(string slice, string prefix, string name)
    {
        string unit = name.EndsWith(".slice", StringComparison.Ordinal) ? name
            : prefix.Length == 0 ? $"{name}.scope"
            : $"{prefix}-{name}.scope";
        if (slice.Length == 0)
        {
            slice = "system.slice";
        }

        const string Suffix = ".slice";
        if (!slice.EndsWith(Suffix, StringComparison.Ordinal) || slice.Contains('/', StringComparison.Ordinal))
        {
            throw new InvalidSpecException(
                Field, $"names the slice {SpecText.Quote(slice)}", "A slice's name ends in '.slice' and has no '/'");
        }

        string stem = slice[..^Suffix.Length];
        string[] words = stem is "-" ? [] : stem.Split('-');
        if (words.Any(static word => word.Length == 0))
        {
            throw new InvalidSpecException(Field, $"names the slice {SpecText.Quote(slice)}", "Its words must have one '-' between them");
        }

        return string.Concat(words.Select((_, index) => $"/{string.Join('-', words[..(index + 1)])}{Suffix}")) + $"/{unit}";
    }
}
