using System.Globalization;

namespace Kata.Integration.Tests.Hypervisor;

/// <summary>What <c>/proc/PID</c> says about a process.</summary>
internal sealed class ProcessStatus
{
    private readonly Dictionary<string, string> _fields = [];
    private readonly int _pid;

    private ProcessStatus(int pid) => _pid = pid;

    public string this[string field] => _fields[field];

    public ulong Hex(string field) => ulong.Parse(_fields[field], NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    public string[] Ids(string field) => _fields[field].Split('\t', StringSplitOptions.RemoveEmptyEntries);

    public string Namespace(string kind) => new FileInfo($"/proc/{_pid}/ns/{kind}").LinkTarget ?? throw Gone();

    public string[] Mounts() => File.ReadAllLines($"/proc/{_pid}/mountinfo");

    /// <summary>At least one: every process that lives has some, and of one that has ended nothing could be said.</summary>
    public string[] OpenFiles() => Directory.GetFileSystemEntries($"/proc/{_pid}/fd") is { Length: > 0 } files
        ? [.. files.Select(static path => new FileInfo(path).LinkTarget ?? "?")]
        : throw Gone();

    public static ProcessStatus Read(int pid)
    {
        var status = new ProcessStatus(pid);
        foreach (string line in File.ReadLines($"/proc/{pid}/status"))
        {
            string[] parts = line.Split(":\t", 2);
            if (parts.Length == 2)
            {
                status._fields[parts[0]] = parts[1];
            }
        }

        return status;
    }

    private InvalidOperationException Gone() => new($"Cannot look at the process {_pid}: it has ended");
}
