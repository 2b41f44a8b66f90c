using System.CommandLine;

namespace Kata.Runtime.Commands;

/// <summary><c>restore ID</c>: not there yet. It is registered so that callers are told so, whatever options they give.</summary>
internal static class RestoreCommand
{
    public static Command Define()
    {
        string[] flags =
        [
            "--tcp-established", "--ext-unix-sk", "--shell-job", "--file-locks", "--no-subreaper", "--no-pivot", "--auto-dedup",
            "--lazy-pages",
        ];
        string[] options =
        [
            "--console-socket", "--image-path", "--work-path", "--manage-cgroups-mode", "--pid-file", "--empty-ns", "--lsm-profile",
            "--lsm-mount-context",
        ];
        var id = new Argument<string>("ID") { Description = "The container" };
        var command = new Command("restore", "Not available yet: restore a container from a saved state") { id };
        foreach (string flag in flags)
        {
            command.Options.Add(new Option<bool>(flag) { Description = "As runc has it" });
        }

        foreach (string option in options)
        {
            command.Options.Add(new Option<string?>(option) { Description = "As runc has it", HelpName = "VALUE" });
        }

        command.Options.Add(new Option<string?>("--bundle", "-b") { Description = "As runc has it", HelpName = "DIR" });
        command.Options.Add(new Option<bool>("--detach", "-d") { Description = "As runc has it" });
        command.SetAction(int (result) => throw new NotSupportedException(
            $"Cannot restore the container '{result.GetValue(id)}': saved states of machines do not exist yet. Create the container anew"));
        return command;
    }
}
