using System.Diagnostics;
using System.Globalization;

namespace Kata.Bench.Networks;

/// <summary>
/// How long it takes from the first command that brings one more interface into a pod's network namespace until the guest answers by it,
/// against runc's; and what that costs on the host: processor time of the pod's service, that of its QEMU by itself, as it also runs the
/// guest's part of it, and processes that were started for it. Each interface goes before the next one comes.
/// </summary>
internal static class Attachment
{
    private const int Times = 10;
    private static readonly TimeSpan s_calm = TimeSpan.FromMilliseconds(300); // the service looks once more after the last change

    public static void Measure(Workspace workspace, BenchBridge bridge, string pod, SortedDictionary<string, double> results)
    {
        int service = workspace.ServicePid(pod), machine = workspace.MachinePid(pod);
        int children = ProcessStat.LivingChildren(service);
        double faults = ProcessStat.FaultsOfPastChildren(service);
        Turns times = new(), serviceTimes = new(), machineTimes = new();
        for (int i = 0; i <= Times; i++) // the first has code run that never ran
        {
            Thread.Sleep(s_calm);
            double serviceBefore = ProcessStat.PreciseMilliseconds(service), machineBefore = ProcessStat.PreciseMilliseconds(machine);
            double kata = Attach(bridge, Station.Kata, (2 * i) + 1);
            Thread.Sleep(s_calm);
            double serviceAfter = ProcessStat.PreciseMilliseconds(service), machineAfter = ProcessStat.PreciseMilliseconds(machine);
            double runc = Attach(bridge, Station.Runc, (2 * i) + 2);
            bridge.In("wire", $"link del {Port((2 * i) + 1)}", $"link del {Port((2 * i) + 2)}");
            if (i > 0)
            {
                times.Add(Station.Kata, kata);
                times.Add(Station.Runc, runc);
                serviceTimes.Add(Station.Kata, serviceAfter - serviceBefore);
                machineTimes.Add(Station.Kata, machineAfter - machineBefore);
            }
        }

        times.Publish("network.attach", "s", results);
        results["network.attach.service_cpu_ms"] = serviceTimes.Of(Station.Kata);
        results["network.attach.machine_cpu_ms"] = machineTimes.Of(Station.Kata);
        results["network.attach.processes"] = Math.Max(0, ProcessStat.LivingChildren(service) - children)
            + (ProcessStat.FaultsOfPastChildren(service) > faults ? 1 : 0); // those that have ended: one or many
    }

    // As a network plugin does it: a pair of links, one end a port of the bridge, the other moved, given an address and set up.
    private static double Attach(BenchBridge bridge, string space, int number)
    {
        string link = string.Create(CultureInfo.InvariantCulture, $"net{number}"), port = Port(number);
        string hardware = string.Create(CultureInfo.InvariantCulture, $"02:88:00:00:01:{number:x2}");
        string address = string.Create(CultureInfo.InvariantCulture, $"10.89.{number}.2");
        bridge.In(
            "peer",
            string.Create(CultureInfo.InvariantCulture, $"addr add 10.89.{number}.1/24 dev eth0"),
            $"neigh add {address} lladdr {hardware} dev eth0 nud permanent"); // nothing is to wait for another question
        bridge.In(
            "wire",
            $"link add {port} type veth peer name {link} address {hardware}",
            $"link set {port} master br0 up");
        string[] look = bridge.Within("peer", Environment.ProcessPath!, NetworkClient.Verb, "reach", address);
        using Process client = Process.Start(new ProcessStartInfo(BenchBridge.NsEnter, look) { RedirectStandardOutput = true })!;
        if (client.StandardOutput.ReadLine() != NetworkClient.Looking)
        {
            throw new InvalidOperationException("Nobody looks for the interface");
        }

        long start = Stopwatch.GetTimestamp();
        bridge.In("wire", $"link set {link} netns {{{space}}}");
        bridge.In(space, $"addr add {address}/24 dev {link}", $"link set {link} up");
        string? reached = client.StandardOutput.ReadLine();
        client.WaitForExit();
        return client.ExitCode == 0
            ? Stopwatch.GetElapsedTime(start, long.Parse(reached!, CultureInfo.InvariantCulture)).TotalSeconds
            : throw new InvalidOperationException($"The interface {link} of {space} is not reached");
    }

    private static string Port(int number) => string.Create(CultureInfo.InvariantCulture, $"more{number}");
}
