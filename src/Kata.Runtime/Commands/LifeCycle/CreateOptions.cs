using System.CommandLine;
using Kata.Oci;
using Kata.Runtime.Hosting;

namespace Kata.Runtime.Commands;

/// <summary>What <c>create</c> and <c>run</c> share.</summary>
internal sealed class CreateOptions
{
    private readonly Option<string?> _bundle = new("--bundle", "-b")
    {
        Description = "Directory of the OCI bundle; the current one when left out",
        HelpName = "DIR",
    };

    private readonly Option<string?> _consoleSocket = new("--console-socket")
    {
        Description = "Unix socket to send the container's terminal to, when it has one",
        HelpName = "PATH",
    };

    private readonly Option<string?> _console = new("--console")
    {
        Description = "Terminal to use for the container, when it has one, instead of a new one",
        HelpName = "PATH",
    };

    private readonly Option<string?> _pidFile = new("--pid-file")
    {
        Description = "Write the id of the host process that stands for the container to this file",
        HelpName = "FILE",
    };

    private readonly Option<bool> _noPivot = new("--no-pivot")
    {
        Description = "Accepted and ignored: root file systems are mounted in the guest",
    };

    private readonly Option<bool> _noNewKeyring = new("--no-new-keyring")
    {
        Description = "Accepted and ignored: keyrings are those of the guest's kernel",
    };

    private readonly PreservedDescriptors _preserved = new();

    public Argument<string> Id { get; } = new("ID") { Description = "The container's id, unique on this host" };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _bundle, _consoleSocket, _console, _pidFile, _noPivot, _noNewKeyring })
        {
            command.Options.Add(option);
        }

        _preserved.AddTo(command);
    }

    /// <exception cref="ArgumentException">An option cannot be honoured in a virtual machine.</exception>
    public CreateRequest Read(ParseResult result, bool foreground = false)
    {
        _preserved.Check(result);
        return new CreateRequest
        {
            Id = ContainerId.Parse(result.GetValue(Id)!),
            Bundle = result.GetValue(_bundle) is { Length: > 0 } bundle ? bundle : Directory.GetCurrentDirectory(),
            ConsoleSocket = NotEmpty(result.GetValue(_consoleSocket)),
            Console = NotEmpty(result.GetValue(_console)),
            PidFile = NotEmpty(result.GetValue(_pidFile)),
            Foreground = foreground,
        };
    }

    // Callers that pass every option leave those without a value empty.
    private static string? NotEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
