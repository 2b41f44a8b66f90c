using System.Globalization;

namespace Kata.Linux;

/// <summary>The threads of another process, proc(5).</summary>
internal static class ProcessThreads
{
    private const string NamespaceIds = "NSpid:";

    /// <summary>The ids, in our pid namespace, of the threads that have these ids in the process's own; fewer when it lacks some.</summary>
    public static IReadOnlyList<int> Find(int processId, IReadOnlySet<int> idsInside)
    {
        var found = new List<int>();
        foreach (string directory in Directory.EnumerateDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/task")))
        {
            try
            {
                if (IdInside(File.ReadLines(Path.Combine(directory, "status"))) is { } id && idsInside.Contains(id))
                {
                    found.Add(int.Parse(Path.GetFileName(directory), CultureInfo.InvariantCulture));
                }
            }
            catch (IOException)
            {
                // It ended meanwhile.
            }
        }

        return found;
    }

    // "NSpid: 1234 7 2": the ids from our namespace inwards.
    internal static int? IdInside(IEnumerable<string> status) =>
        status.FirstOrDefault(static line => line.StartsWith(NamespaceIds, StringComparison.Ordinal)) is { } line
        && int.TryParse(line.AsSpan(line.LastIndexOfAny([':', ' ', '\t']) + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int id)
            ? id
            : null;
}
