using System.Globalization;
using System.Text;

namespace Kata.Linux;

/// <summary>One mount of a mount namespace, a line of <c>/proc/PID/mountinfo</c> (proc(5)).</summary>
/// <param name="Id">Its number in its namespace, statx(2)'s <c>stx_mnt_id</c>.</param>
/// <param name="FileSystem">The mounted file system as <c>MAJOR:MINOR</c>; for btrfs not what statx(2) says of its files.</param>
/// <param name="Root">The path in the file system that the mount shows.</param>
/// <param name="MountPoint">Where it is, as the calling thread's root directory sees it.</param>
/// <param name="ReadOnly">Whether this mount is, whatever the file system is.</param>
/// <param name="IdMapped">Whether it shows other owners than the file system has.</param>
/// <param name="IsReached">Whether mounts made elsewhere reach it: it shares its events, or receives those of others.</param>
internal sealed record MountInfo(ulong Id, string FileSystem, string Root, string MountPoint, bool ReadOnly, bool IdMapped, bool IsReached)
{
    /// <summary>The mounts of the calling thread's namespace, in the order in which they were made.</summary>
    /// <exception cref="IOException">There is no <c>/proc</c>.</exception>
    public static IReadOnlyList<MountInfo> Read() => [.. File.ReadLines("/proc/thread-self/mountinfo").Select(Parse).OfType<MountInfo>()];

    /// <summary>Null for a line that is none.</summary>
    public static MountInfo? Parse(string line)
    {
        // 36 35 98:0 /root /mount/point options [optional fields] - type source superoptions
        string[] fields = line.Split(' ');
        int separator = Array.IndexOf(fields, "-");
        return separator >= 6 && ulong.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out ulong id)
            ? new MountInfo(
                id,
                fields[2],
                Unescape(fields[3]),
                Unescape(fields[4]),
                fields[5].Split(',').Contains("ro"),
                fields[5].Split(',').Contains("idmapped"),
                fields[6..separator].Any(static field =>
                    field.StartsWith("shared:", StringComparison.Ordinal) || field.StartsWith("master:", StringComparison.Ordinal)))
            : null;
    }

    /// <summary>A field as it was before the kernel wrote its blanks, tabs, line breaks and backslashes as <c>\ooo</c>.</summary>
    public static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length && text.AsSpan(i + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0)
            {
                result.Append((char)(((text[i + 1] - '0') * 64) + ((text[i + 2] - '0') * 8) + (text[i + 3] - '0')));
                i += 3;
            }
            else
            {
                result.Append(text[i]);
            }
        }

        return result.ToString();
    }
}
