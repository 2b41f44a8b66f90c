using Kata.Oci;

namespace Kata.Runtime.Cni;

/// <summary>The texts of versions.</summary>
internal static class CniVersions
{
    public const CniVersion Latest = CniVersion.V110;

    private static readonly string[] s_texts = ["0.3.1", "0.4.0", "1.0.0", "1.1.0"];

    /// <summary>All of them, oldest first.</summary>
    public static IReadOnlyList<string> Texts => s_texts;

    public static string Text(this CniVersion version) => s_texts[(int)version];

    /// <param name="text">As a configuration or a result has it; null, which is the oldest version of all, when it has none.</param>
    /// <param name="what">What has it, for errors.</param>
    /// <exception cref="CniException">It is none of ours.</exception>
    public static CniVersion Parse(string? text, string what)
    {
        int at = Array.IndexOf(s_texts, text);
        return at >= 0 ? (CniVersion)at : throw new CniException(
            CniErrorCode.IncompatibleVersion,
            text is null ? $"Cannot use {what}: it has no 'cniVersion'" : $"Cannot use {what}: its version is {SpecText.Quote(text)}",
            $"Have 'cniVersion' be one of {string.Join(", ", s_texts)}");
    }
}
