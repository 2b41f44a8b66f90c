using System.CommandLine;
using Kata.Configuration;
using Kata.Sandbox;

namespace Kata.Runtime.Commands;

/// <summary><c>version</c>, <c>--version</c> and the options of the bare command.</summary>
internal static class VersionCommand
{
    /// <summary>The newest OCI runtime specification whose documents are read.</summary>
    internal const string OciVersion = SupportedFeatures.OciVersionMax;

    public static Command Define()
    {
        var command = new Command("version", "Print the version, the commit and the OCI specification's version");
        command.SetAction(static _ => Print());
        return command;
    }

    public static int RunRoot(GlobalOptions globals, ParseResult result)
    {
        if (result.GetValue(globals.Version))
        {
            return Print();
        }

        if (result.GetValue(globals.ShowConfigurationPaths))
        {
            foreach (string path in ConfigurationSources.ForHost(null).SearchPaths)
            {
                Console.Out.WriteLine(path);
            }

            return ExitCodes.Success;
        }

        Console.Error.WriteLine("kata-runtime: Cannot run 'kata-runtime': no command was given. See 'kata-runtime --help'");
        return ExitCodes.Failure;
    }

    private static int Print()
    {
        Console.Out.WriteLine($"kata-runtime  : {RuntimeVersion.Number}");
        Console.Out.WriteLine($"   commit   : {RuntimeVersion.Commit}");
        Console.Out.WriteLine($"   OCI specs: {OciVersion}");
        return ExitCodes.Success;
    }
}
