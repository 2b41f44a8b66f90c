using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Sandbox;

namespace Kata.Runtime.Commands;

/// <summary><c>list</c>.</summary>
internal static class ListCommand
{
    private static readonly string[] s_headings = ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"];

    public static Command Define(GlobalOptions globals)
    {
        var format = new Option<string>("--format", "-f") { Description = "Form of the list: table or json", HelpName = "FORMAT", DefaultValueFactory = static _ => "table" };
        format.AcceptOnlyFromAmong("table", "json");
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Print ids only" };
        var command = new Command("list", "List containers") { format, quiet };
        command.SetAction(result =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            List<ContainerDocument> containers = Read(globals.Directories(result));
            if (result.GetValue(quiet))
            {
                containers.ForEach(static item => Console.Out.WriteLine(item.Id));
            }
            else if (result.GetValue(format) == "json")
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(containers, RuntimeJsonContext.Default.ListContainerDocument));
            }
            else
            {
                PrintTable([s_headings, .. containers.Select(static item => new[]
                {
                    item.Id, item.Pid.ToString(CultureInfo.InvariantCulture), item.Status, item.Bundle, item.Created, item.Owner,
                })]);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static List<ContainerDocument> Read(SandboxDirectories directories)
    {
        var lookup = new ContainerLookup(directories);
        var found = new List<ContainerDocument>();
        foreach ((ContainerId container, SandboxId _) in new ContainerIndex(directories).All())
        {
            try
            {
                found.Add(ContainerDocument.Of(lookup.Read(container, "list")));
            }
            catch (SandboxStateException)
            {
                // deleted while we looked
            }
            catch (Exception error) when (error is InvalidDataException or IOException)
            {
                // One damaged pod must not hide the others; what is wrong with it, its own verbs say too.
                string reason = ExitCodes.TextOf(error);
                Console.Error.WriteLine($"kata-runtime: warning: {reason}");
                found.Add(ContainerDocument.Unknown(container, reason));
            }
        }

        return found;
    }

    // Columns of at least 12 characters with 3 between them, as runc's tables.
    private static void PrintTable(List<string[]> rows)
    {
        int[] widths = [.. Enumerable.Range(0, s_headings.Length).Select(column => Math.Max(9, rows.Max(row => row[column].Length)) + 3)];
        foreach (string[] row in rows)
        {
            Console.Out.WriteLine(string.Concat(row.Select((cell, column) => column == row.Length - 1 ? cell : cell.PadRight(widths[column]))));
        }
    }
}
