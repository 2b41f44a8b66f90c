using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Kata.Configuration;
using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Sandbox;

namespace Kata.Runtime.Commands;

/// <summary><c>list</c>.</summary>
internal static class ListCommand
{
    private static readonly string[] s_headings = ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"];
    private static readonly string[] s_assetHeadings = ["HYPERVISOR", "KERNEL", "IMAGE", "LATEST-KERNEL", "LATEST-IMAGE", "STALE"];

    public static Command Define(GlobalOptions globals)
    {
        var format = new Option<string>("--format", "-f")
        {
            Description = "Form of the list: table or json",
            HelpName = "FORMAT",
            DefaultValueFactory = static _ => "table",
        };
        format.AcceptOnlyFromAmong("table", "json");
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Print ids only" };
        var all = new Option<bool>("--kata-all")
        {
            Description = "Add what each pod's machine was made of, and what a new one would be made of now",
        };
        var command = new Command("list", "List containers") { format, quiet, all };
        command.SetAction(result =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            MachineAssets? latest =
                result.GetValue(all) ? MachineAssets.Of(KataConfiguration.Load(globals.Sources(result)).Hypervisor) : null;
            List<ContainerDocument> containers = Read(globals.Directories(result), latest);
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
                string[] headings = [.. s_headings, .. latest is null ? [] : s_assetHeadings];
                TextTable.Print([headings, .. containers.Select(item => Row(item, latest))]);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static string[] Row(ContainerDocument item, MachineAssets? latest)
    {
        // A container that has ended has the pid 0, as with runc; one that is being created, or of which nothing can be read, none yet.
        string pid = item.Pid == 0 && (item.Bundle.Length == 0 || item.Status != "stopped") ? "-"
            : item.Pid.ToString(CultureInfo.InvariantCulture);
        string[] row = [item.Id, pid, item.Status, OrDash(item.Bundle), OrDash(item.Created), OrDash(item.Owner)];
        if (latest is null)
        {
            return row;
        }

        MachineAssets? current = item.CurrentHypervisor;
        string stale = current is null ? "-" : string.Join(',', item.StaleAssets ?? []);
        return
        [
            .. row, current?.HypervisorAsset.Path ?? "-", current?.KernelAsset.Path ?? "-", current?.ImageAsset.Path ?? "-",
            latest.KernelAsset.Path, latest.ImageAsset.Path, stale.Length > 0 ? stale : "-",
        ];
    }

    private static string OrDash(string cell) => cell.Length > 0 ? cell : "-";

    private static List<ContainerDocument> Read(SandboxDirectories directories, MachineAssets? latest)
    {
        var lookup = new ContainerLookup(directories);
        var found = new List<ContainerDocument>();
        var index = new ContainerIndex(directories);
        foreach ((ContainerId container, SandboxId _) in index.All())
        {
            try
            {
                ContainerDocument document = ContainerDocument.Of(lookup.Read(container, "list", out SandboxState? pod));
                found.Add(latest is null ? document : document.WithAssets(MachineAssets.Of(pod), latest));
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
                found.Add(ContainerDocument.Unknown(container, index.ClaimedAt(container), reason));
            }
        }

        return found;
    }

    // Columns of at least 12 characters with 3 between them, as runc's tables.
}
