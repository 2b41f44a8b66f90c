using System.CommandLine;
using System.Text.Json;
using Kata.Configuration;

namespace Kata.Runtime.Commands;

/// <summary><c>kata-env</c>: TOML for people, JSON for programs.</summary>
internal static class KataEnvCommand
{
    public static Command Define(GlobalOptions globals)
    {
        var json = new Option<bool>("--json") { Description = "Print JSON instead of TOML" };
        var command = new Command("kata-env", "Print what would run a container here, and why") { json };
        command.Aliases.Add("env");
        command.SetAction(result =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            KataEnvironment environment = KataEnvironment.Read(KataConfiguration.Load(globals.Sources(result)));
            JsonElement document = JsonSerializer.SerializeToElement(environment, KataEnvironmentJson.Default.KataEnvironment);
            if (result.GetValue(json))
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(environment, KataEnvironmentJson.Default.KataEnvironment));
            }
            else
            {
                PrintToml(document);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    // Two levels of tables with strings, numbers and booleans: all of which TOML writes as JSON does.
    private static void PrintToml(JsonElement document)
    {
        foreach (JsonProperty table in document.EnumerateObject())
        {
            Console.Out.WriteLine($"[{table.Name}]");
            foreach (JsonProperty value in table.Value.EnumerateObject())
            {
                Console.Out.WriteLine($"  {value.Name} = {value.Value.GetRawText()}");
            }

            Console.Out.WriteLine();
        }
    }
}
