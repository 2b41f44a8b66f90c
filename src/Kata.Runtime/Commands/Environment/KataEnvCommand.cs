using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kata.Configuration;

namespace Kata.Runtime.Commands;

/// <summary><c>kata-env</c>: TOML for people, JSON for programs.</summary>
internal static class KataEnvCommand
{
    // People read it, and no browser does: an apostrophe may be one.
    private static readonly KataEnvironmentJson s_json = new(new JsonSerializerOptions
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    public static Command Define(GlobalOptions globals)
    {
        var json = new Option<bool>("--json") { Description = "Print JSON instead of TOML" };
        var command = new Command("kata-env", "Print what would run a container here, and why") { json };
        command.Aliases.Add("env");
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            KataEnvironment environment = await KataEnvironment.ReadAsync(KataConfiguration.Load(globals.Sources(result)));
            await Console.Out.WriteAsync(result.GetValue(json) ? ToJson(environment) + "\n" : ToToml(environment));
            return ExitCodes.Success;
        });
        return command;
    }

    internal static string ToJson(KataEnvironment environment) => JsonSerializer.Serialize(environment, s_json.KataEnvironment);

    // Two levels of tables with strings, numbers and booleans: all of which TOML writes as JSON does.
    internal static string ToToml(KataEnvironment environment)
    {
        var text = new StringBuilder();
        foreach (JsonProperty table in JsonSerializer.SerializeToElement(environment, s_json.KataEnvironment).EnumerateObject())
        {
            text.Append(CultureInfo.InvariantCulture, $"[{table.Name}]\n");
            foreach (JsonProperty value in table.Value.EnumerateObject())
            {
                string written = value.Value.ValueKind == JsonValueKind.String
                    ? $"\"{JsonEncodedText.Encode(value.Value.GetString()!, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\""
                    : value.Value.GetRawText();
                text.Append(CultureInfo.InvariantCulture, $"  {value.Name} = {written}\n");
            }

            text.Append('\n');
        }

        return text.ToString();
    }
}
