using System.CommandLine;
using Kata.Oci;
using Kata.Runtime.Hosting;

namespace Kata.Runtime.Commands;

/// <summary><c>create ID</c>.</summary>
internal static class CreateCommand
{
    public static Command Define(GlobalOptions globals)
    {
        var options = new CreateOptions();
        var command = new Command("create", "Create a container, without starting its program") { options.Id };
        options.AddTo(command);
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            await new ContainerCreator(globals, result).CreateAsync(options.Read(result));
            return ExitCodes.Success;
        });
        return command;
    }
}

/// <summary>What <c>create</c> and <c>run</c> share.</summary>
internal sealed class CreateOptions
{
    public Argument<string> Id { get; } = new("ID") { Description = "The container's id, unique on this host" };

    private readonly Option<string> _bundle = new("--bundle", "-b")
    {
        Description = "Directory of the OCI bundle",
        HelpName = "DIR",
        DefaultValueFactory = static _ => Directory.GetCurrentDirectory(),
    };

    private readonly Option<string?> _consoleSocket = new("--console-socket")
    {
        Description = "Unix socket that gets the controlling side of the container's terminal",
        HelpName = "PATH",
    };

    private readonly Option<string?> _pidFile = new("--pid-file") { Description = "File for the id of the process that stands for the container", HelpName = "FILE" };

    private readonly Option<bool> _noPivot = new("--no-pivot") { Description = "Accepted and ignored: the root is the guest's" };

    private readonly Option<bool> _noNewKeyring = new("--no-new-keyring") { Description = "Accepted and ignored: keys are the guest kernel's" };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _bundle, _consoleSocket, _pidFile, _noPivot, _noNewKeyring })
        {
            command.Options.Add(option);
        }
    }

    public CreateRequest Read(ParseResult result, bool foreground = false) => new()
    {
        Id = ContainerId.Parse(result.GetValue(Id)!),
        Bundle = result.GetValue(_bundle)!,
        ConsoleSocket = result.GetValue(_consoleSocket),
        PidFile = result.GetValue(_pidFile),
        Foreground = foreground,
    };
}
