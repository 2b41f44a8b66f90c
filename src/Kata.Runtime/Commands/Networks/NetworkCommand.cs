using System.CommandLine;
using System.Text.Json;
using Kata.Runtime.Hosting;
using Kata.Sandbox.Protocol.V1;

namespace Kata.Runtime.Commands;

/// <summary><c>network add-iface|del-iface|update-iface|list-ifaces|update-routes|list-routes POD</c>, with Kata's JSON.</summary>
internal static class NetworkCommand
{
    public static Command Define(GlobalOptions globals)
    {
        var command = new Command("network", "Change the network of a running pod, or list it, as JSON")
        {
            Changing(
                globals, "add-iface",
                "Give the guest an interface: the link 'device' of the pod's network namespace, or one of the host's, which is moved there",
                "add an interface to", static document =>
                {
                    InterfaceSpec spec = document.ToSpec();
                    return client => client.AddInterfaceAsync(spec);
                }),
            Changing(
                globals, "del-iface",
                "Take an interface from the guest; a link that add-iface moved goes back, another one stays, off and without addresses",
                "remove an interface from", static document => client => client.RemoveInterfaceAsync(ToRemove(document))),
            Changing(
                globals, "update-iface", "Change addresses (all of them), MTU, hardware address, name or NOARP of an interface",
                "change an interface of", static document =>
                {
                    var request = new UpdateInterfaceRequest { Spec = document.ToSpec() };
                    return client => client.UpdateInterfaceAsync(request);
                }),
            Listing(globals, "list-ifaces", "List the interfaces that the guest has", "list the interfaces of", ListInterfacesAsync),
            UpdateRoutes(globals),
            Listing(
                globals, "list-routes", "List the routes that the guest has", "list the routes of",
                static async client => Print(await client.ListRoutesAsync())),
        };
        command.Aliases.Add("kata-network"); // of Kata 1.x
        return command;
    }

    private static Command Changing(
        GlobalOptions globals, string name, string description, string action,
        Func<InterfaceDocument, Func<NetworkClient, Task<NetworkInterface>>> change)
    {
        Argument<string> pod = PodConnection.Argument();
        Argument<string> file = File("The interface as JSON: a file, or '-' for standard input");
        var command = new Command(name, description) { pod, file };
        PodConnection.SetAction(command, globals, pod, action, result =>
        {
            Func<NetworkClient, Task<NetworkInterface>> call = change(NetworkFile.ReadInterface(result.GetValue(file)!));
            return async client => await Console.Out.WriteLineAsync(InterfaceDocument.Of(await call(client)).Write());
        });
        return command;
    }

    private static Command UpdateRoutes(GlobalOptions globals)
    {
        Argument<string> pod = PodConnection.Argument();
        Argument<string> file = File("All routes as JSON: a file, or '-' for standard input");
        var command = new Command("update-routes", "Replace the routes of a pod; those that the kernel makes by itself stay") { pod, file };
        PodConnection.SetAction(command, globals, pod, "change the routes of", result =>
        {
            NetworkRoute[] routes = [.. NetworkFile.ReadRoutes(result.GetValue(file)!).Select(static route => route.ToMessage())];
            var request = new UpdateRoutesRequest { Routes = new RouteSet { Routes = { routes } } };
            return async client => Print(await client.UpdateRoutesAsync(request));
        });
        return command;
    }

    private static Command Listing(
        GlobalOptions globals, string name, string description, string action, Func<NetworkClient, Task> list)
    {
        Argument<string> pod = PodConnection.Argument();
        var command = new Command(name, description) { pod };
        PodConnection.SetAction(command, globals, pod, action, _ => list);
        return command;
    }

    private static RemoveInterfaceRequest ToRemove(InterfaceDocument document) => new()
    {
        Name = document.Name is { Length: > 0 } name ? name : document.Device ?? "",
        HardwareAddress = document.HwAddr ?? "",
    };

    private static async Task ListInterfacesAsync(NetworkClient client)
    {
        List<InterfaceDocument> interfaces = [.. (await client.ListInterfacesAsync()).Select(InterfaceDocument.Of)];
        await Console.Out.WriteLineAsync(JsonSerializer.Serialize(interfaces, NetworkJsonContext.Default.ListInterfaceDocument));
    }

    private static void Print(IReadOnlyList<NetworkRoute> routes)
    {
        List<RouteDocument> documents = [.. routes.Select(RouteDocument.Of)];
        Console.Out.WriteLine(JsonSerializer.Serialize(documents, NetworkJsonContext.Default.ListRouteDocument));
    }

    private static Argument<string> File(string description) =>
        new("FILE") { Description = description, DefaultValueFactory = static _ => "-" };
}
