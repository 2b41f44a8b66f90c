using System.CommandLine;
using Kata.Oci;
using Kata.Sandbox;

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
}
