using System.CommandLine;
using Kata.Oci;
using Kata.Runtime.Hosting;

namespace Kata.Runtime.Commands;

/// <summary>What commands about a pod's network have in common: the pod's service, found by the pod's name or a container's.</summary>
internal static class PodConnection
{
    public static Argument<string> Argument() => new("POD") { Description = "The pod, or one of its containers" };

    /// <summary>Has a command do its work with the pod's service.</summary>
    /// <param name="command">The command, which takes <paramref name="pod"/>.</param>
    /// <param name="globals">Where pods are.</param>
    /// <param name="pod">Its argument.</param>
    /// <param name="action">For errors: <c>add an interface to</c>.</param>
    /// <param name="prepare">Reads what else the command line says, before anybody is asked, and returns the work.</param>
    public static void SetAction(
        Command command, GlobalOptions globals, Argument<string> pod, string action,
        Func<ParseResult, Func<NetworkClient, Task>> prepare) => command.SetAction(async (result, _) =>
    {
        using CommandLog log = CommandLog.Begin(globals, result);
        Func<NetworkClient, Task> work = prepare(result);
        var lookup = new ContainerLookup(globals.Directories(result));
        SandboxId id = lookup.ResolvePod(result.GetValue(pod)!, action);
        await using PodClient client = lookup.Connect(id, action);
        await work(new NetworkClient(client, ContainerId.Parse(id.Value)));
        return ExitCodes.Success;
    });
}
