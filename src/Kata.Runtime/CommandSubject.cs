using System.CommandLine;
using System.CommandLine.Parsing;
using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Sandbox;
using Kata.Service;

namespace Kata.Runtime;

/// <summary>What a command is about, for its records: they are found by container and pod. Never fails, whatever the line.</summary>
/// <param name="Sandbox">The container's pod, when it is known.</param>
/// <param name="Container">The one container that the command names; null when it names none or several.</param>
internal sealed record CommandSubject(string? Sandbox, string? Container)
{
    private static readonly CommandSubject s_none = new(null, null);

    public static CommandSubject Of(GlobalOptions globals, ParseResult result)
    {
        ArgumentResult? argument = result.CommandResult.Children.OfType<ArgumentResult>()
            .FirstOrDefault(static item => item.Argument.Name == "ID");
        if (argument is not { Tokens: [{ Value: var text }] }
            || !ContainerId.TryParse(text, out ContainerId id)
            || result.GetResult(globals.Root)?.Errors.Any() == true)
        {
            return s_none;
        }

        try
        {
            SandboxDirectories directories = globals.Directories(result);
            var lookup = new ContainerLookup(directories);
            ContainerId container = result.CommandResult.Command.Name switch
            {
                "create" or "run" or "delete" => id,
                "state" or "ps" or "events" => lookup.ResolveToRead(text, "log"),
                _ => lookup.Resolve(text, "log"),
            };
            return new CommandSubject(new ContainerIndex(directories).Find(container)?.Value, container.Value);
        }
        catch (Exception error) when (error is ArgumentException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return new CommandSubject(null, text); // the verb will say what is wrong
        }
    }

    public RecordLog OpenLog(GlobalOptions globals, ParseResult result) => globals.OpenLog(result, sandbox: Sandbox, container: Container);
}
