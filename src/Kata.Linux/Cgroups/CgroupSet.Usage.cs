using System.Globalization;

namespace Kata.Linux;

internal sealed partial class CgroupSet
{
    /// <summary>What the group has used, as far as the host counts it; 0 elsewhere.</summary>
    public CgroupUsage ReadUsage() => new(
        Read("cpuacct.usage") ?? Read("cpu.stat", "usage_usec") * 1000 ?? 0,
        Read("memory.usage_in_bytes") ?? Read("memory.current") ?? 0,
        Read("pids.current") ?? 0);

    // A file with one number, or with lines of a name and a number, in whichever hierarchy has it.
    private ulong? Read(string file, string? name = null)
    {
        foreach (HostCgroup group in _groups)
        {
            string path = Path.Combine(group.Directory, file);
            if (!File.Exists(path))
            {
                continue;
            }

            string? text = name is null
                ? File.ReadAllText(path)
                : File.ReadLines(path).FirstOrDefault(line => line.StartsWith(name + " ", StringComparison.Ordinal))?[name.Length..];
            if (ulong.TryParse(text?.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out ulong number))
            {
                return number;
            }
        }

        return null;
    }
}
