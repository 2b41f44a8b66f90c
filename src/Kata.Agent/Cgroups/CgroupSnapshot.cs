namespace Kata.Agent.Cgroups;

/// <summary>
/// What the limits of a group were before a change of them, to take back one that fails half-way: a caller that is told of a failure finds
/// what was there.
/// </summary>
internal sealed class CgroupSnapshot
{
    /// <summary>Some values are only taken after others: a quota is at least its burst, a weight needs a group that is not idle.</summary>
    private const int Passes = 3;

    /// <summary>What <c>crun update</c> writes.</summary>
    private static readonly string[] s_common =
        [
            "memory.max", "memory.swap.max", "memory.low", "memory.high", "cpu.idle", "cpu.weight", "cpu.max", "cpu.max.burst",
            "cpuset.cpus", "cpuset.mems", "pids.max",
        ];

    /// <summary>Files of a controller that only an update turns on for the group; empty is what they hold then.</summary>
    private static readonly string[] s_late = ["cpuset.cpus", "cpuset.mems"];

    private readonly Cgroup _cgroup;
    private readonly List<(string File, string Value)> _values;

    private CgroupSnapshot(Cgroup cgroup, List<(string File, string Value)> values) => (_cgroup, _values) = (cgroup, values);

    /// <param name="cgroup">The group.</param>
    /// <param name="further">Files that are written besides the common ones; those that are no limits are left out.</param>
    public static CgroupSnapshot Take(Cgroup cgroup, IEnumerable<string> further) => new(
        cgroup,
        [
            .. s_common.Concat(further).Distinct(StringComparer.Ordinal)
                .Where(file => cgroup.HasLimit(file) || s_late.Contains(file))
                .Select(file => (file, cgroup.Read(file))),
        ]);

    /// <summary>Writes back what has changed. Returns the files that could not be; none when all is as it was.</summary>
    public IReadOnlyList<string> Restore()
    {
        List<string> left = [];
        for (int pass = 0; pass < Passes; pass++)
        {
            left = [];
            left.AddRange(_values
                .Where(item => _cgroup.Read(item.File).Trim() != item.Value.Trim() && !TryWrite(item.File, item.Value))
                .Select(static item => item.File));
        }

        return left;
    }

    private bool TryWrite(string file, string value)
    {
        try
        {
            _cgroup.Write(file, value.Length > 0 ? value : "\n"); // writing nothing is no write
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A group with processes in it does not take an empty set again (ENOSPC); every processor of the guest is the same.
            return value.Trim().Length == 0 && s_late.Contains(file) && ReadAll(file) is { Length: > 0 } all && TryWrite(file, all);
        }
    }

    private static string ReadAll(string file) => new Cgroup("").Read($"{file}.effective");
}
