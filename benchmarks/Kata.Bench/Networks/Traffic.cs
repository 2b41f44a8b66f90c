using System.Globalization;

namespace Kata.Bench.Networks;

/// <summary>
/// Throughput by TCP, loss of datagrams, latency and rate of connections between a peer on the bridge and each station, in turns. The
/// peer asks, and the stations serve: receiving and sending are the station's. Beside throughput and latency is what they cost, QEMU's
/// processor time for a gigabit and for a ping: a machine that others use, too, changes that less than it changes how long something takes.
/// </summary>
internal static class Traffic
{
    private const string Seconds = "1"; // iperf3 takes whole ones
    private const string ConnectSeconds = "1";
    private const string DatagramRate = "100M"; // bits a second: some thousand packets
    private const string Pings = "60";
    private const string PingInterval = "0.01";
    private const int Attempts = 50; // of a second at most, for a server to start

    public static void Measure(BenchBridge bridge, IReadOnlyList<Station> stations, int runs, SortedDictionary<string, double> results)
    {
        foreach (Station station in stations)
        {
            AwaitServer(bridge, station);
        }

        foreach (string streams in new[] { "1", "4" })
        {
            Rates($"network.tcp_receive_{streams}", streams, []);
            Rates($"network.tcp_send_{streams}", streams, ["--reverse"]);
        }

        // A ratio of losses says nothing: there is none where all is well.
        Losses([]).Publish("network.udp_receive", "loss_percent", results, withRatios: false);
        Losses(["--reverse"]).Publish("network.udp_send", "loss_percent", results, withRatios: false);
        InTurns(
            "network.ping",
            "ms",
            station => Median.Of(PingReport.Parse(
                bridge.FromPeer("/bin/busybox", "ping", "-c", Pings, "-i", PingInterval, station.Address))),
            static _ => double.Parse(Pings, CultureInfo.InvariantCulture));
        InTurns(
            "network.connect",
            "per_s",
            station => double.Parse(
                bridge.FromPeer(Environment.ProcessPath!, NetworkClient.Verb, "connect", station.Address, ConnectSeconds),
                CultureInfo.InvariantCulture),
            amount: null);

        void Rates(string name, string streams, string[] options) => InTurns(
            name,
            "mbit_s",
            station => Test(bridge, station, ["--time", Seconds, "--parallel", streams, .. options]).MegabitsPerSecond,
            static rate => rate / 1000);

        Turns Losses(string[] options)
        {
            var losses = new Turns();
            for (int i = 0; i < runs; i++)
            {
                foreach (Station station in stations)
                {
                    IperfReport report = Test(bridge, station, ["--time", Seconds, "--udp", "--bitrate", DatagramRate, .. options]);
                    losses.Add(station.Name, report.LossPercent!.Value);
                }
            }

            return losses;
        }

        // What a measurement costs is for each of its amount, which comes from its figure.
        void InTurns(string name, string unit, Func<Station, double> measure, Func<double, double>? amount)
        {
            Turns all = new(), costs = new();
            for (int i = 0; i < runs * 2; i++)
            {
                foreach (Station station in stations)
                {
                    double before = station.Machine is { } machine ? ProcessStat.PreciseMilliseconds(machine) : 0;
                    double value = measure(station);
                    all.Add(station.Name, value);
                    if (station.Machine is { } same && amount is not null)
                    {
                        costs.Add(station.Name, (ProcessStat.PreciseMilliseconds(same) - before) / amount(value));
                    }
                }
            }

            all.Publish(name, unit, results);
            costs.Publish($"{name}.cost", "cpu_ms", results);
        }
    }

    private static IperfReport Test(BenchBridge bridge, Station station, params IReadOnlyList<string> options) => IperfReport.Parse(
        bridge.FromPeer(["/usr/bin/iperf3", "--client", station.Address, "--json", "--connect-timeout", "5000", .. options]));

    // It says by nothing else that it listens. The test that succeeds has the guest run all of its code once.
    private static void AwaitServer(BenchBridge bridge, Station station)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                Test(bridge, station, "--time", Seconds);
                return;
            }
            catch (Exception error) when (attempt < Attempts && error is InvalidDataException or InvalidOperationException)
            {
                Thread.Sleep(100);
            }
        }
    }
}
