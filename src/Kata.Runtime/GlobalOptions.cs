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
        Description = "Directory for the state of pods",
        HelpName = "DIR",
        DefaultValueFactory = static _ => SandboxDirectories.DefaultRoot,
        Recursive = true,
    };

    public Option<string?> Log { get; } = new("--log") { Description = "Append log records to this file", HelpName = "FILE", Recursive = true };

    public Option<LogFormat> LogFormat { get; } = new("--log-format")
    {
        Description = "Form of log records: text or json",
        HelpName = "FORMAT",
        DefaultValueFactory = static _ => Service.LogFormat.Text,
        Recursive = true,
    };

    public Option<bool> Debug { get; } = new("--debug") { Description = "Log records for developers too", Recursive = true };

    public Option<string?> Configuration { get; } = new("--kata-config", "--config")
    {
        Description = "Configuration file, instead of the default places",
        HelpName = "FILE",
        Recursive = true,
    };

    public Option<bool> ShowConfigurationPaths { get; } = new("--kata-show-default-config-paths", "--show-default-config-paths")
    {
        Description = "Print where configuration is looked for, first match wins, and exit",
    };

    public Option<bool> Version { get; } = new("--version", "-v") { Description = "Print the version and exit" };

    public Option<bool> SystemdCgroup { get; } = new("--systemd-cgroup") { Description = "Make cgroups through systemd", Recursive = true };

    public Option<string> Rootless { get; } = new("--rootless")
    {
        Description = "Accepted for compatibility: true, false or auto",
        HelpName = "MODE",
        DefaultValueFactory = static _ => "auto",
        Recursive = true,
    };

    public void AddTo(RootCommand root)
    {
        foreach (Option option in new Option[] { Root, Log, LogFormat, Debug, Configuration, ShowConfigurationPaths, Version, SystemdCgroup, Rootless })
        {
            root.Options.Add(option);
        }
    }

    public SandboxDirectories Directories(ParseResult result) => new(Path.GetFullPath(result.GetValue(Root)!));

    public RecordLog OpenLog(ParseResult result, string? container) => RecordLog.Open(
        result.GetValue(Log),
        result.GetValue(LogFormat),
        result.GetValue(Debug) ? LogLevel.Debug : LogLevel.Information,
        TimeProvider.System,
        "runtime",
        null,
        container);

    /// <summary>Where configuration comes from: the option, the environment, the default places, what is built in.</summary>
    public ConfigurationSources Sources(ParseResult result) =>
        ConfigurationSources.ForHost(result.GetValue(Configuration) is { } path ? Path.GetFullPath(path) : null);
}
