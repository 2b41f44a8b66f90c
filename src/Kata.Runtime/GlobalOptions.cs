using System.CommandLine;
using Kata.Configuration;
using Kata.Sandbox;
using Kata.Service;
using Microsoft.Extensions.Logging;

namespace Kata.Runtime;

/// <summary>Options that stand before the command; runc's and Kata's.</summary>
internal sealed class GlobalOptions
{
    public Option<string> Root { get; } = new("--root")
    {
        Description = "Directory that holds the state of all pods",
        HelpName = "DIR",
        DefaultValueFactory = static _ => SandboxDirectories.DefaultRoot,
        Recursive = true,
    };

    public Option<string?> Log { get; } = new("--log")
    {
        Description = "Append log records to this file, besides the journal",
        HelpName = "FILE",
        Recursive = true,
    };

    public Option<string> LogFormat { get; } = new("--log-format")
    {
        Description = "Form of records in that file: text, or json with errors only, as engines read it, unless --debug is given",
        HelpName = "FORMAT",
        DefaultValueFactory = static _ => "text",
        Recursive = true,
    };

    public Option<bool> Debug { get; } = new("--debug") { Description = "Log what developers want to know, too", Recursive = true };

    public Option<string?> Configuration { get; } = new("--kata-config", "--config")
    {
        Description = "Configuration file to use instead of the one in the default places",
        HelpName = "FILE",
        Recursive = true,
    };

    public Option<bool> ShowConfigurationPaths { get; } = new("--kata-show-default-config-paths", "--show-default-config-paths")
    {
        Description = "Print where configuration is looked for, first match wins, and exit",
    };

    public Option<bool> Version { get; } = new("--version", "-v") { Description = "Print the version and exit" };

    public Option<bool> SystemdCgroup { get; } = new("--systemd-cgroup")
    {
        Description = "Accepted where systemd runs; the pod's cgroup is made where systemd would put it",
        Recursive = true,
    };

    // Before the command only: spec has another of that name.
    public Option<string> Rootless { get; } = new("--rootless")
    {
        Description = "Accepted and ignored: true, false or auto",
        HelpName = "MODE",
        DefaultValueFactory = static _ => "auto",
    };

    public Option<string?> Criu { get; } = new("--criu")
    {
        Description = "Accepted and ignored: machines are not saved by it",
        HelpName = "PATH",
    };

    public void AddTo(RootCommand root)
    {
        LogFormat.AcceptOnlyFromAmong("text", "json");
        Rootless.AcceptOnlyFromAmong("true", "false", "auto");
        foreach (Option option in new Option[]
        {
            Root, Log, LogFormat, Debug, Configuration, ShowConfigurationPaths, Version, SystemdCgroup, Rootless, Criu,
        })
        {
            root.Options.Add(option);
        }
    }

    public SandboxDirectories Directories(ParseResult result) => new(Path.GetFullPath(result.GetValue(Root)!));

    public RecordLog OpenLog(ParseResult result, string subsystem = "runtime", string? sandbox = null, string? container = null) =>
        RecordLog.Open(
            result.GetValue(Log),
            FormatOf(result),
            result.GetValue(Debug) ? LogLevel.Debug : LogLevel.Information,
            TimeProvider.System,
            subsystem,
            sandbox,
            container,
            fileLevel: RecordLog.FileLevelOf(FormatOf(result), result.GetValue(Debug)));

    public LogFormat FormatOf(ParseResult result) => result.GetValue(LogFormat) == "json" ? Service.LogFormat.Json : Service.LogFormat.Text;

    /// <summary>Where configuration comes from: the option, the environment, the default places, what is built in.</summary>
    public ConfigurationSources Sources(ParseResult result) =>
        ConfigurationSources.ForHost(result.GetValue(Configuration) is { } path ? Path.GetFullPath(path) : null);
}
