namespace Kata.Network;

/// <summary>A sysctl of a network namespace that is not as in a new one.</summary>
/// <param name="Path">Below <c>/proc/sys</c>: <c>net/ipv4/ip_forward</c>.</param>
/// <param name="Value">As the kernel shows it, without the end of the line.</param>
/// <param name="Initial">What a new namespace has.</param>
internal sealed record NamespaceSetting(string Path, string Value, string Initial)
{
    private static readonly string[] s_common = ["all", "default"]; // in the order in which they are to be set

    /// <summary>The name of the link that it is of; null when it is of none.</summary>
    public string? Link => LinkPart is { } part && !s_common.Contains(part) ? part : null;

    /// <summary>
    /// What is set earlier, with lower numbers: the kernel has those of the namespace change those of all links, and these change a link's.
    /// </summary>
    public int Order => LinkPart is { } part ? Array.IndexOf(s_common, part) switch { -1 => 3, int at => at + 1 } : 0;

    // net/ipv4/conf/NAME/…, net/ipv6/neigh/NAME/…
    private string? LinkPart => Path.Split('/') is [_, _, "conf" or "neigh", var name, ..] ? name : null;
}
