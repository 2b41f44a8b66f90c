using System.CommandLine;

namespace Kata.Runtime.Commands;

/// <summary><c>checkpoint ID</c>: not there yet. It is registered so that callers are told so, whatever options they give.</summary>
internal static class CheckpointCommand
{
    public static Command Define()
    {
        string[] flags =
        [
            "--leave-running", "--tcp-established", "--ext-unix-sk", "--shell-job", "--lazy-pages", "--file-locks", "--pre-dump",
            "--auto-dedup",
        ];
        string[] options =
            ["--image-path", "--work-path", "--parent-path", "--status-fd", "--page-server", "--manage-cgroups-mode", "--empty-ns"];
        var id = new Argument<string>("ID") { Description = "The container" };
        var command = new Command("checkpoint", "Not available yet: save the state of a container") { id };
        foreach (string flag in flags)
        {
            command.Options.Add(new Option<bool>(flag) { Description = "As runc has it" });
        }

        foreach (string option in options)
        {
            command.Options.Add(new Option<string?>(option) { Description = "As runc has it", HelpName = "VALUE" });
        }

        command.SetAction(int (result) => throw new NotSupportedException(
            $"Cannot checkpoint the container '{result.GetValue(id)}': saving a machine's state does not exist yet. "
            + "Stop the container and create it anew"));
        return command;
    }
}
