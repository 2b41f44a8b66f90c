using System.Globalization;
using Kata.Agent.Protocol;

namespace Kata.Agent.Cgroups;

/// <summary>
/// Reads the kernel's statistics files. Whatever does not parse counts as absent: a newer kernel adds lines, an older one lacks some.
/// </summary>
internal static class CgroupParser
{
    /// <summary>Lines of <c>name value</c>; a value of <c>max</c> is the largest number.</summary>
    public static Dictionary<string, ulong> ParseFlat(string text)
    {
        var result = new Dictionary<string, ulong>(StringComparer.Ordinal);
        foreach (string line in text.Split('\n'))
        {
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space > 0 && ParseNumber(line[(space + 1)..]) is { } value)
            {
                result[line[..space]] = value;
            }
        }

        return result;
    }

    /// <summary>A file of one number or <c>max</c>; null when it is neither.</summary>
    public static ulong? ParseNumber(string text)
    {
        string word = text.Trim();
        return word == "max" ? ulong.MaxValue
            : ulong.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : null;
    }

    /// <summary>io.stat: <c>MAJOR:MINOR key=value…</c> a line, into bytes and operations as the agent's protocol names them.</summary>
    public static BlkioStats ParseIo(string text)
    {
        var result = new BlkioStats();
        foreach (string line in text.Split('\n'))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string[] device = words.Length > 0 ? words[0].Split(':') : [];
            if (device.Length != 2 || ParseNumber(device[0]) is not { } major || ParseNumber(device[1]) is not { } minor)
            {
                continue;
            }

            foreach (string word in words.AsSpan(1))
            {
                int equals = word.IndexOf('=', StringComparison.Ordinal);
                if (equals < 0 || ParseNumber(word[(equals + 1)..]) is not { } value)
                {
                    continue;
                }

                switch (word[..equals])
                {
                    case "rbytes":
                        result.IoServiceBytesRecursive.Add(Entry("Read"));
                        break;
                    case "wbytes":
                        result.IoServiceBytesRecursive.Add(Entry("Write"));
                        break;
                    case "dbytes":
                        result.IoServiceBytesRecursive.Add(Entry("Discard"));
                        break;
                    case "rios":
                        result.IoServicedRecursive.Add(Entry("Read"));
                        break;
                    case "wios":
                        result.IoServicedRecursive.Add(Entry("Write"));
                        break;
                    case "dios":
                        result.IoServicedRecursive.Add(Entry("Discard"));
                        break;
                }

                BlkioStatsEntry Entry(string operation) => new() { Major = major, Minor = minor, Op = operation, Value = value };
            }
        }

        return result;
    }

    /// <summary>/proc/net/dev without the loopback.</summary>
    public static IEnumerable<NetworkStats> ParseInterfaces(string text)
    {
        foreach (string line in text.Split('\n'))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            string[] words = colon < 0 ? [] : line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string name = colon < 0 ? "" : line[..colon].Trim();
            ulong[] values = [.. words.Select(static word => ParseNumber(word)).OfType<ulong>()];
            if (values.Length >= 12 && name != "lo")
            {
                yield return new NetworkStats
                {
                    Name = name,
                    RxBytes = values[0],
                    RxPackets = values[1],
                    RxErrors = values[2],
                    RxDropped = values[3],
                    TxBytes = values[8],
                    TxPackets = values[9],
                    TxErrors = values[10],
                    TxDropped = values[11],
                };
            }
        }
    }
}
