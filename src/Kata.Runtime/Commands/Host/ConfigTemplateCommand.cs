using System.CommandLine;
using Kata.Configuration;

namespace Kata.Runtime.Commands;

/// <summary><c>config-template</c>: what <c>make install</c> installs as configuration.toml. Hidden: it is a build step.</summary>
internal static class ConfigTemplateCommand
{
    public static Command Define()
    {
        var command = new Command("config-template", "Print a configuration file with every key, its default and its meaning")
        {
            Hidden = true,
        };
        command.SetAction(static _ => ConfigurationTemplate.Write(Console.Out));
        return command;
    }
}
