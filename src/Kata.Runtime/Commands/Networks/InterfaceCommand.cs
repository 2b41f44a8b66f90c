using System.CommandLine;
using Kata.Linux;
using Kata.Sandbox.Protocol.V1;

namespace Kata.Runtime.Commands;

/// <summary><c>interface add|ls|rm|update POD</c>, as runV has it.</summary>
internal static class InterfaceCommand
{
    private const string Loopback = "lo";
    private static readonly string[] s_headings = ["Name", "Mac", "IP", "Mtu"];

    public static Command Define(GlobalOptions globals) => new("interface", "Change the interfaces of a running pod, or list them")
    {
        Add(globals), List(globals), Remove(globals), Update(globals),
    };

    private static Command Add(GlobalOptions globals)
    {
        Argument<string> pod = PodConnection.Argument();
        var device = new Option<string?>("--host-device", "--tapname")
        {
            Description = "The link: one of the pod's network namespace, or one of the host's, which is moved there; --name's when missing",
            HelpName = "LINK",
        };
        var name = new Option<string?>("--name")
        {
            Description = "What it is called in the guest; the link's name when missing",
            HelpName = "NAME",
        };
        Option<string[]> addresses = Addresses("--ip", "An address and the length of its prefix");
        var mac = new Option<string?>("--mac") { Description = "Its hardware address", HelpName = "ADDRESS" };
        Option<uint?> mtu = Mtu();
        var command = new Command("add", "Give the guest an interface; prints its name") { pod, device, name, addresses, mac, mtu };
        PodConnection.SetAction(command, globals, pod, "add an interface to", result =>
        {
            var spec = new InterfaceSpec
            {
                Device = result.GetValue(device) ?? "",
                Name = result.GetValue(name) ?? "",
                Mtu = result.GetValue(mtu) ?? 0,
                HardwareAddress = result.GetValue(mac) ?? "",
            };
            if (result.GetValue(addresses) is { Length: > 0 } given)
            {
                spec.Addresses = new AddressSet { Addresses = { given } };
            }

            return async client => await Console.Out.WriteLineAsync(PrintableText.Escape((await client.AddInterfaceAsync(spec)).Name));
        });
        return command;
    }

    private static Command List(GlobalOptions globals)
    {
        Argument<string> pod = PodConnection.Argument();
        var command = new Command("ls", "List the interfaces that the guest has, without the loopback") { pod };
        command.Aliases.Add("list");
        PodConnection.SetAction(command, globals, pod, "list the interfaces of", static _ => static async client =>
        {
            IEnumerable<NetworkInterface> interfaces = (await client.ListInterfacesAsync()).Where(static item => item.Name != Loopback);
            TextTable.Print([s_headings, .. interfaces.Select(Row)]);
        });
        return command;
    }

    private static Command Remove(GlobalOptions globals)
    {
        Argument<string> pod = PodConnection.Argument();
        Argument<string> name = Name();
        var command = new Command(
            "rm", "Take an interface from the guest; a link that 'add' moved goes back, another one stays, off and without addresses")
        {
            pod, name,
        };
        command.Aliases.Add("delete");
        PodConnection.SetAction(command, globals, pod, "remove an interface from", result =>
        {
            var request = new RemoveInterfaceRequest { Name = result.GetValue(name)! };
            return client => client.RemoveInterfaceAsync(request);
        });
        return command;
    }

    private static Command Update(GlobalOptions globals)
    {
        Argument<string> pod = PodConnection.Argument();
        Argument<string> name = Name();
        Option<string[]> add = Addresses("--add-ip", "An address that it gets");
        Option<string[]> remove = Addresses("--delete-ip", "An address that it loses");
        Option<uint?> mtu = Mtu();
        var command = new Command("update", "Change addresses and MTU of an interface") { pod, name, add, remove, mtu };
        PodConnection.SetAction(command, globals, pod, "change an interface of", result =>
        {
            var request = new UpdateInterfaceRequest
            {
                Spec = new InterfaceSpec { Name = result.GetValue(name)!, Mtu = result.GetValue(mtu) ?? 0 },
                AddAddresses = { result.GetValue(add) ?? [] },
                RemoveAddresses = { result.GetValue(remove) ?? [] },
            };
            return client => client.UpdateInterfaceAsync(request);
        });
        return command;
    }

    private static Argument<string> Name() => new("INTERFACE") { Description = "Its name in the guest" };

    private static Option<uint?> Mtu() => new("--mtu") { Description = "The largest packet", HelpName = "BYTES" };

    private static Option<string[]> Addresses(string name, string description) =>
        new(name) { Description = description, HelpName = "ADDRESS/LENGTH" };

    // All of it is the guest's word.
    private static string[] Row(NetworkInterface item) =>
    [
        PrintableText.Escape(item.Name), PrintableText.Escape(item.HardwareAddress),
        PrintableText.Escape(string.Join(',', item.Addresses)), FormattableString.Invariant($"{item.Mtu}"),
    ];
}
