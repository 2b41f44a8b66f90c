using System.Text.Json.Nodes;

namespace Kata.Bench.Networks;

/// <summary>The command line of a machine like a pod's, without what is ours: no jail, no channel, no shared directory.</summary>
internal static class BareCommandLine
{
    private static readonly string[] s_kept = ["-machine", "-accel", "-cpu", "-smp", "-m", "-object", "-rtc", "-append"];

    /// <summary>
    /// What a pod's QEMU has, of the machine: its board, processors and memory, the bridge and the card on it, with as many queues and as
    /// much of vhost-net, but a tap that QEMU opens by its name, and another address.
    /// </summary>
    /// <param name="pod">The arguments of a pod's QEMU with one network card.</param>
    /// <param name="tap">The tap's name.</param>
    /// <param name="address">The card's hardware address.</param>
    /// <exception cref="InvalidDataException">There is no card.</exception>
    public static IReadOnlyList<string> Of(IReadOnlyList<string> pod, string tap, string address)
    {
        var bare = new List<string>();
        foreach (string option in s_kept)
        {
            bare.AddRange([option, Value(pod, option)]);
        }

        string netdev = Value(pod, "-netdev");
        string backend = $"tap,id=bare,ifname={tap},script=no,downscript=no";
        backend += netdev.Contains(",vhost=on", StringComparison.Ordinal) ? ",vhost=on" : "";
        backend += Queues(netdev) is > 1 and var queues ? FormattableString.Invariant($",queues={queues}") : "";
        JsonNode[] devices =
            [.. Values(pod, "-device").Where(static text => text.StartsWith('{')).Select(static text => JsonNode.Parse(text)!)];
        JsonNode card = devices.FirstOrDefault(static device => device["mac"] is not null)
            ?? throw new InvalidDataException("The pod's machine has no network card");
        card["netdev"] = "bare";
        card["mac"] = address;
        foreach (JsonNode bridge in devices.Where(bridge => (string?)bridge["id"] == (string?)card["bus"]))
        {
            bare.AddRange(["-device", bridge.ToJsonString()]);
        }

        return [.. bare, "-netdev", backend, "-device", card.ToJsonString()];
    }

    /// <summary>How many queues the tap of a pod's QEMU has.</summary>
    public static int QueuesOf(IReadOnlyList<string> pod) => Queues(Value(pod, "-netdev"));

    // One is fd=7, several are fds=7:8.
    private static int Queues(string netdev) =>
        netdev.Split(',').FirstOrDefault(static word => word.StartsWith("fds=", StringComparison.Ordinal))?.Split(':').Length ?? 1;

    private static string Value(IReadOnlyList<string> arguments, string option) => Values(arguments, option).FirstOrDefault()
        ?? throw new InvalidDataException($"The pod's machine has no {option}");

    private static IEnumerable<string> Values(IReadOnlyList<string> arguments, string option) =>
        arguments.Zip(arguments.Skip(1)).Where(pair => pair.First == option).Select(static pair => pair.Second);
}
