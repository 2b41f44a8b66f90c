using System.CommandLine;
using System.CommandLine.Help;
using Kata.Runtime.Commands;
using Kata.Service;
using Microsoft.Extensions.Logging;

namespace Kata.Runtime;

/// <summary>All commands, and the border where their failures become text and exit codes.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] arguments)
    {
        GlobalOptions globals;
        RootCommand root = arguments is [ServiceCommand.Name or StandInCommand.Name, ..]
            ? BuildOwn(out globals)
            : Build(out globals);
        ParseResult result = root.Parse(PosixOrder.Apply(root, arguments), new ParserConfiguration
        {
            EnablePosixBundling = true,
            ResponseFileTokenReplacer = null, // an argument that begins with '@' is an argument
        });
        if (UsageError.Find(root, arguments, result) is { } usage)
        {
            Report(globals, result, arguments, new ArgumentException(usage));
            return ExitCodes.Failure;
        }

        try
        {
            // Signals are the stand-in's to forward, never the parser's to cancel on.
            return await result.InvokeAsync(
                new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (Exception error) // the outermost border
        {
            Report(globals, result, arguments, error);
            return ExitCodes.Of(error, result.CommandResult.Command.Name);
        }
    }

    /// <summary>
    /// Only the commands that this executable starts itself, and that live as long as a pod or a container: all the others would cost each
    /// of them 3 ms and 0.1 MB.
    /// </summary>
    internal static RootCommand BuildOwn(out GlobalOptions globals)
    {
        RootCommand root = NewRoot(out globals);
        root.Subcommands.Add(ServiceCommand.Define(globals));
        root.Subcommands.Add(StandInCommand.Define());
        return root;
    }

    /// <summary>Every command; <c>--help</c>, completion and manual pages come from the same definitions.</summary>
    internal static RootCommand Build(out GlobalOptions globals)
    {
        RootCommand root = NewRoot(out globals);
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Description = "Print this help and exit";
        help.Action = new OrderedHelp((HelpAction)help.Action!);
        root.Subcommands.Add(CreateCommand.Define(globals));
        root.Subcommands.Add(StartCommand.Define(globals));
        root.Subcommands.Add(RunCommand.Define(globals));
        root.Subcommands.Add(ExecCommand.Define(globals));
        root.Subcommands.Add(StateCommand.Define(globals));
        root.Subcommands.Add(ListCommand.Define(globals));
        root.Subcommands.Add(KillCommand.Define(globals));
        root.Subcommands.Add(DeleteCommand.Define(globals));
        root.Subcommands.Add(PauseCommand.Define(globals));
        root.Subcommands.Add(PauseCommand.DefineResume(globals));
        root.Subcommands.Add(PsCommand.Define(globals));
        root.Subcommands.Add(UpdateCommand.Define(globals));
        root.Subcommands.Add(EventsCommand.Define(globals));
        root.Subcommands.Add(StorageCommand.Define(globals));
        root.Subcommands.Add(NetworkCommand.Define(globals));
        root.Subcommands.Add(InterfaceCommand.Define(globals));
        root.Subcommands.Add(RouteCommand.Define(globals));
        root.Subcommands.Add(FactoryCommand.Define(globals));
        root.Subcommands.Add(SpecCommand.Define());
        root.Subcommands.Add(FeaturesCommand.Define());
        root.Subcommands.Add(VersionCommand.Define());
        root.Subcommands.Add(CheckpointCommand.Define());
        root.Subcommands.Add(RestoreCommand.Define());
        root.Subcommands.Add(KataEnvCommand.Define(globals));
        root.Subcommands.Add(KataCheckCommand.Define(globals));
        root.Subcommands.Add(ConfigCommand.Define(globals));
        root.Subcommands.Add(InstallCommand.Define(globals));
        root.Subcommands.Add(LimitsCommand.Define());
        root.Subcommands.Add(CompletionCommand.Define(root));
        root.Subcommands.Add(ManCommand.Define(root));
        root.Subcommands.Add(ServiceCommand.Define(globals));
        root.Subcommands.Add(StandInCommand.Define());
        root.Subcommands.Add(ConfigTemplateCommand.Define());
        GlobalOptions all = globals;
        root.SetAction(result => VersionCommand.RunRoot(all, result));
        return root;
    }

    private static RootCommand NewRoot(out GlobalOptions globals)
    {
        globals = new GlobalOptions();
        var root = new RootCommand("Runs OCI containers, each pod in a virtual machine of its own");
        root.Options.RemoveAt(IndexOfVersion(root)); // ours prints the commit and the specification's version too
        globals.AddTo(root);
        return root;
    }

    private static int IndexOfVersion(RootCommand root)
    {
        for (int i = 0; i < root.Options.Count; i++)
        {
            if (root.Options[i] is VersionOption)
            {
                return i;
            }
        }

        throw new InvalidOperationException("The root command has no version option");
    }

    private static void Report(GlobalOptions globals, ParseResult result, string[] arguments, Exception error)
    {
        string text = ExitCodes.TextOf(error);
        Console.Error.WriteLine($"kata-runtime: {text}");
        try
        {
            using RecordLog log = CommandSubject.Of(globals, result).OpenLog(globals, result);
            log.Write(
                LogLevel.Error, text, [new("command", result.CommandResult.Command.Name), new("arguments", Arguments.ForLog(arguments))]);
        }
        catch (Exception unlogged) when (unlogged is Linux.LinuxException or InvalidOperationException)
        {
            // the text is on standard error already; the second is the parser's for an option that is wrong itself
        }
    }
}
