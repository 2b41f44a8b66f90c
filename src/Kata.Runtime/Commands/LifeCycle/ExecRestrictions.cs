using System.CommandLine;

namespace Kata.Runtime.Commands;

/// <summary>Options of <c>exec</c> that are about where the process runs and not about what it is.</summary>
internal sealed class ExecRestrictions
{
    private readonly Option<string[]> _cgroup = new("--cgroup")
    {
        Description = "The container's own group, '/'; others cannot be chosen",
        HelpName = "[CONTROLLER:]PATH",
    };
    private readonly Option<bool> _noSubreaper = new("--no-subreaper")
    {
        Description = "Accepted and ignored: processes are reaped in the guest",
    };
    private readonly PreservedDescriptors _preserved = new();

    public void AddTo(Command command)
    {
        command.Options.Add(_cgroup);
        command.Options.Add(_noSubreaper);
        _preserved.AddTo(command);
    }

    /// <exception cref="ArgumentException">An option cannot be honoured in a virtual machine.</exception>
    public void Check(ParseResult result)
    {
        _preserved.Check(result);
        foreach (string group in result.GetValue(_cgroup) ?? [])
        {
            // CONTROLLER:PATH is how hierarchies of version 1 are told apart; the guest has only one.
            string path = group.StartsWith('/') ? group : group[(group.IndexOf(':', StringComparison.Ordinal) + 1)..];
            if (path.Trim('/').Length > 0)
            {
                throw new ArgumentException(
                    $"Cannot execute in the control group '{group}': the guest puts every process of a container into the container's own. "
                    + "Leave --cgroup out, or give '/'");
            }
        }
    }
}
