using System.CommandLine;
using Kata.Oci;
using Kata.Sandbox;
using Kata.Service;

namespace Kata.Runtime.Hosting;

/// <summary>What a pod's service is started with: this command's global options, made absolute, as it has another directory.</summary>
internal static class ServiceArguments
{
    public static List<string> Of(GlobalOptions globals, ParseResult result, SandboxDirectories directories, SandboxId sandbox)
    {
        var arguments = new List<string>
        {
            "--root", directories.Root, "--sandbox", sandbox.Value, "--log-format", result.GetValue(globals.LogFormat)!,
        };
        Add("--log", result.GetValue(globals.Log) is { Length: > 0 } log ? Path.GetFullPath(log) : null);
        Add("--kata-config", globals.Sources(result).ExplicitPath);
        if (result.GetValue(globals.Debug))
        {
            arguments.Add("--debug");
        }

        return arguments;

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                arguments.Add(name);
                arguments.Add(value);
            }
        }
    }

    /// <summary>What a service of the pool is told instead.</summary>
    public static ClaimRequest ClaimOf(GlobalOptions globals, ParseResult result, SandboxDirectories directories, SandboxId sandbox) =>
        WarmMachines.Complete(new ClaimRequest
        {
            Root = directories.Root,
            Sandbox = sandbox.Value,
            Configuration = globals.Sources(result).ExplicitPath,
            Log = result.GetValue(globals.Log) is { Length: > 0 } log ? Path.GetFullPath(log) : null,
            LogFormat = globals.FormatOf(result),
            Debug = result.GetValue(globals.Debug),
        });
}
