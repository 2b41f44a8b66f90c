using System.CommandLine;
using System.Globalization;
using Kata.Configuration;

namespace Kata.Runtime.Commands;

/// <summary><c>config show</c> and <c>config validate</c>.</summary>
internal static class ConfigCommand
{
    public static Command Define(GlobalOptions globals) =>
        new("config", "Show the configuration that applies, or check one") { Show(globals), Validate(globals) };

    private static Command Show(GlobalOptions globals)
    {
        var origin = new Option<bool>("--origin") { Description = "Say of each value which file and line it comes from" };
        var command = new Command("show", "Print the configuration that applies") { origin };
        command.SetAction(result =>
        {
            ConfigurationListing.Write(KataConfiguration.Load(globals.Sources(result)), result.GetValue(origin), Console.Out);
            return ExitCodes.Success;
        });
        return command;
    }

    private static Command Validate(GlobalOptions globals)
    {
        var file = new Argument<string?>("FILE")
        {
            Description = "The configuration file, with the config.d beside it; the one that applies when left out",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("validate", "Check a configuration and tell everything that is wrong with it") { file };
        command.SetAction(result =>
        {
            ConfigurationSources sources = result.GetValue(file) is { } path
                ? ConfigurationSources.ForHost(Path.GetFullPath(path))
                : globals.Sources(result);
            IReadOnlyList<ConfigurationFinding> findings = ConfigurationValidator.Validate(sources, namedFiles: true);
            foreach (ConfigurationFinding finding in findings)
            {
                Console.Error.WriteLine($"kata-runtime: {(finding.IsError ? "" : "warning: ")}{finding.Text}");
            }

            int errors = findings.Count(static finding => finding.IsError);
            Console.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"The configuration is {(errors == 0 ? "usable" : "not usable")}: "
                + $"{Count(errors, "error")}, {Count(findings.Count - errors, "warning")}"));
            return errors == 0 ? ExitCodes.Success : ExitCodes.Failure;
        });
        return command;
    }

    private static string Count(int count, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {noun}{(count == 1 ? "" : "s")}");
}
