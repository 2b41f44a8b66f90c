using System.Security.Cryptography;
using System.Text;

namespace Kata.Integration.Tests.Harness;

/// <summary>
/// What the host holds for the containers of one state root: processes, mounts, cgroups, files. Ids of tests are unique on the
/// machine, so whatever names one belongs to it.
/// </summary>
internal sealed record HostSnapshot(
    IReadOnlyList<(int Pid, string Command)> Processes,
    IReadOnlyList<string> Mounts,
    IReadOnlyList<string> Cgroups,
    IReadOnlyList<string> Files)
{
    /// <summary>
    /// From the end of the last command until what it left to end by itself (a stand-in, a service that has answered) has ended.
    /// </summary>
    private static readonly TimeSpan s_settleLimit = TimeSpan.FromSeconds(20);

    /// <param name="root">The state root.</param>
    /// <param name="idPrefix">What every id of it begins with.</param>
    public static HostSnapshot Take(string root, string idPrefix) => new(
        [.. FindProcesses(root, idPrefix)],
        [.. File.ReadLines("/proc/self/mountinfo").Where(line =>
            line.Contains(root, StringComparison.Ordinal) || line.Contains(idPrefix, StringComparison.Ordinal))],
        [.. FindCgroups($"*{idPrefix}*"), .. FindCgroups($"*{GroupSuffix(root)}")],
        [.. FindFiles(root).Where(static path => Path.GetFileName(path) != "@containers")]);

    /// <summary>Processes in the control groups of a state root, whatever their command lines name.</summary>
    public static IReadOnlyList<(int Pid, string Command)> GroupedProcesses(string root) =>
    [
        .. FindProcesses(root, GroupSuffix(root)).Where(process =>
            Read($"/proc/{process.Pid}/cgroup").Contains(GroupSuffix(root), StringComparison.Ordinal)),
    ];

    /// <summary>Nothing is left, once processes that are ending have ended.</summary>
    public static async Task AssertCleanAsync(string root, string idPrefix)
    {
        using var limit = new CancellationTokenSource(s_settleLimit);
        HostSnapshot now = Take(root, idPrefix);
        foreach ((int pid, string _) in now.Processes)
        {
            await HostProcess.EndedAsync(pid, limit.Token);
        }

        Take(root, idPrefix).AssertEmpty();
    }

    public void AssertEmpty()
    {
        Assert.Empty(Processes);
        Assert.Empty(Mounts);
        Assert.Empty(Cgroups);
        Assert.Empty(Files);
    }

    /// <summary>How many machines run among the processes.</summary>
    public int Machines => Processes.Count(static process => process.Command.Contains("guest=sandbox-", StringComparison.Ordinal));

    private static IEnumerable<string> FindFiles(string root) =>
        Directory.Exists(root) ? Directory.EnumerateFileSystemEntries(root, "*", SearchOption.AllDirectories) : [];

    // What the name of every control group of this root ends in, whatever the id before it.
    private static string GroupSuffix(string root) =>
        "@" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(root)).AsSpan(0, 6));

    private static IEnumerable<(int Pid, string Command)> FindProcesses(string root, string idPrefix)
    {
        string suffix = GroupSuffix(root);
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), out int pid) && pid != Environment.ProcessId)
            {
                string command = Read($"{directory}/cmdline").Replace('\0', ' ').Trim();
                string cgroup = Read($"{directory}/cgroup");
                bool named = command.Contains(root, StringComparison.Ordinal) || command.Contains(idPrefix, StringComparison.Ordinal);
                bool grouped = cgroup.Contains(idPrefix, StringComparison.Ordinal) || cgroup.Contains(suffix, StringComparison.Ordinal);
                // What has ended is its parent's to collect: a detached process's is the host's init.
                if ((named || grouped) && !IsZombie(directory))
                {
                    yield return (pid, command);
                }
            }
        }
    }

    private static bool IsZombie(string directory) => Read($"{directory}/stat").Contains(") Z ", StringComparison.Ordinal);

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return ""; // it ended while we looked
        }
    }

    private static IEnumerable<string> FindCgroups(string pattern)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, MaxRecursionDepth = 6 };
        return Directory.EnumerateDirectories("/sys/fs/cgroup", pattern, options);
    }
}
