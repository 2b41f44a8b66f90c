using System.CommandLine;
using System.Text.Json;
using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Sandbox.Protocol.V1;

namespace Kata.Runtime.Commands;

/// <summary><c>storage add|list|remove POD</c>.</summary>
internal static class StorageCommand
{
    private static readonly string[] s_headings = ["NAME", "SOURCE", "ACCESS", "MOUNT POINT", "FILE SYSTEM", "DEVICE"];

    public static Command Define(GlobalOptions globals) =>
        new("storage", "Give a pod disks while it runs, and take them back") { Add(globals), List(globals), Remove(globals) };

    private static Command Add(GlobalOptions globals)
    {
        Argument<string> pod = Pod();
        var source = new Argument<string>("SOURCE") { Description = "A raw image or a block device of the host" };
        var name = new Option<string?>("--name") { Description = "What to call it; chosen when missing", HelpName = "NAME" };
        var mountPoint = new Option<string?>("--mount-point", "-m")
        {
            Description = "Directory of the guest to mount it on, missing or empty; without one it is left as a device",
            HelpName = "PATH",
        };
        var type = new Option<string?>("--type", "-t")
        {
            Description = "Its file system: ext4, xfs, erofs or squashfs; found out when missing",
            HelpName = "FILESYSTEM",
        };
        var options = new Option<string[]>("--options", "-o")
        {
            Description = "Mount options, as of mount(8)",
            HelpName = "OPTION[,OPTION]...",
        };
        var readOnly = new Option<bool>("--read-only") { Description = "Nothing in the guest can write to it" };
        var command = new Command("add", "Give a pod a disk; prints the storage's name")
        {
            pod, source, name, mountPoint, type, options, readOnly,
        };
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            (PodClient client, ContainerId id) = Connect(globals, result, result.GetValue(pod)!, "add a storage to");
            await using PodClient connected = client;
            var spec = new StorageSpec
            {
                Name = result.GetValue(name) ?? "",
                Source = Path.GetFullPath(result.GetValue(source)!),
                ReadOnly = result.GetValue(readOnly),
                MountPoint = result.GetValue(mountPoint) ?? "",
                Filesystem = result.GetValue(type) ?? "",
            };
            string[] lists = result.GetValue(options) ?? [];
            spec.Options.Add(lists.SelectMany(static list => list.Split(',', StringSplitOptions.RemoveEmptyEntries)));
            await Console.Out.WriteLineAsync((await client.AddStorageAsync(id, spec)).Spec.Name);
            return ExitCodes.Success;
        });
        return command;
    }

    private static Command List(GlobalOptions globals)
    {
        Argument<string> pod = Pod();
        var format = new Option<string>("--format", "-f")
        {
            Description = "Form of the list: table or json",
            HelpName = "FORMAT",
            DefaultValueFactory = static _ => "table",
        };
        format.AcceptOnlyFromAmong("table", "json");
        var command = new Command("list", "List the disks that a pod was given") { pod, format };
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            (PodClient client, ContainerId id) = Connect(globals, result, result.GetValue(pod)!, "list the storages of");
            await using PodClient connected = client;
            List<StorageDocument> storages = [.. (await client.ListStoragesAsync(id)).Select(StorageDocument.Of)];
            if (result.GetValue(format) == "json")
            {
                await Console.Out.WriteLineAsync(JsonSerializer.Serialize(storages, RuntimeJsonContext.Default.ListStorageDocument));
            }
            else
            {
                TextTable.Print([s_headings, .. storages.Select(Row)]);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static Command Remove(GlobalOptions globals)
    {
        Argument<string> pod = Pod();
        var name = new Argument<string>("NAME") { Description = "The storage" };
        var command = new Command("remove", "Take a disk from a pod") { pod, name };
        command.Aliases.Add("rm");
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            (PodClient client, ContainerId id) = Connect(globals, result, result.GetValue(pod)!, "remove a storage from");
            await using PodClient connected = client;
            await client.RemoveStorageAsync(id, result.GetValue(name)!);
            return ExitCodes.Success;
        });
        return command;
    }

    private static (PodClient Client, ContainerId Pod) Connect(GlobalOptions globals, ParseResult result, string pod, string action)
    {
        var lookup = new ContainerLookup(globals.Directories(result));
        SandboxId id = lookup.ResolvePod(pod, action);
        return (lookup.Connect(id, action), ContainerId.Parse(id.Value));
    }

    private static Argument<string> Pod() => new("POD") { Description = "The pod, or one of its containers" };

    private static string[] Row(StorageDocument storage) =>
    [
        storage.Name, storage.Source, storage.ReadOnly ? "ro" : "rw",
        OrDash(storage.MountPoint), OrDash(storage.FileSystem), OrDash(storage.Device),
    ];

    private static string OrDash(string cell) => cell.Length > 0 ? cell : "-";
}
