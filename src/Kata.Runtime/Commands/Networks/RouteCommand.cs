using System.CommandLine;
using Kata.Linux;
using Kata.Sandbox.Protocol.V1;

namespace Kata.Runtime.Commands;

/// <summary><c>route add|ls|rm POD</c>, beside <c>interface</c>.</summary>
internal static class RouteCommand
{
    private static readonly string[] s_headings = ["Destination", "Gateway", "Device", "Source"];

    public static Command Define(GlobalOptions globals) => new("route", "Change the routes of a running pod, or list them")
    {
        Change(globals, "add", "Give the guest a route, by a gateway, an interface or both", isNew: true),
        List(globals),
        Change(globals, "rm", "Take a route from the guest", isNew: false),
    };

    private static Command Change(GlobalOptions globals, string name, string description, bool isNew)
    {
        Argument<string> pod = PodConnection.Argument();
        var destination = new Argument<string>("DESTINATION") { Description = "A prefix, an address, or 'default'" };
        var gateway = new Option<string?>("--gateway", "--via") { Description = "The next router", HelpName = "ADDRESS" };
        var device = new Option<string?>("--device", "--dev") { Description = "The interface", HelpName = "INTERFACE" };
        var source = new Option<string?>("--source", "--src") { Description = "The address to send from", HelpName = "ADDRESS" };
        var command = new Command(name, description) { pod, destination, gateway, device, source };
        if (!isNew)
        {
            command.Aliases.Add("delete");
        }

        PodConnection.SetAction(command, globals, pod, "change the routes of", result =>
        {
            string by = result.GetValue(gateway) ?? "";
            var route = new NetworkRoute
            {
                Destination = RouteDocument.Destination(result.GetValue(destination)!, by, isIPv6: false),
                Gateway = by,
                Device = result.GetValue(device) ?? "",
                Source = result.GetValue(source) ?? "",
            };
            var request = new UpdateRoutesRequest();
            (isNew ? request.Add : request.Remove).Add(route);
            return client => client.UpdateRoutesAsync(request);
        });
        return command;
    }

    private static Command List(GlobalOptions globals)
    {
        Argument<string> pod = PodConnection.Argument();
        var command = new Command("ls", "List the routes that the guest has") { pod };
        command.Aliases.Add("list");
        PodConnection.SetAction(command, globals, pod, "list the routes of", static _ => static async client =>
            TextTable.Print([s_headings, .. (await client.ListRoutesAsync()).Select(Row)]));
        return command;
    }

    // All of it is the guest's word.
    private static string[] Row(NetworkRoute route) =>
    [
        route.Destination is "0.0.0.0/0" or "::/0" ? "default" : PrintableText.Escape(route.Destination),
        OrDash(route.Gateway), OrDash(route.Device), OrDash(route.Source),
    ];

    private static string OrDash(string cell) => cell.Length > 0 ? PrintableText.Escape(cell) : "-";
}
