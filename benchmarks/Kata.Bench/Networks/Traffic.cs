using System.Globalization;

namespace Kata.Bench.Networks;

/// <summary>
/// Throughput by TCP, loss of datagrams, latency and rate of connections between a peer on the bridge and each station, in turns. The
/// peer asks, and the stations serve: receiving and sending are the station's.
/// </summary>
internal static class Traffic
{
    private const string Seconds = "1"; // iperf3 takes whole ones
    private const string ConnectSeconds = "0.5";
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
            Rates("receive", streams, []).Publish($"network.tcp_receive_{streams}", "mbit_s", results);
            Rates("send", streams, ["--reverse"]).Publish($"network.tcp_send_{streams}", "mbit_s", results);
        }

        // A ratio of losses says nothing: there is none where all is well.
        Losses([]).Publish("network.udp_receive", "loss_percent", results, withRatios: false);
        Losses(["--reverse"]).Publish("network.udp_send", "loss_percent", results, withRatios: false);
        InTurns(runs * 2, station => Median.Of(PingReport.Parse(
            bridge.FromPeer("/bin/busybox", "ping", "-c", Pings, "-i", PingInterval, station.Address))))
            .Publish("network.ping", "ms", results);
        InTurns(runs * 2, station => double.Parse(
            bridge.FromPeer(Environment.ProcessPath!, NetworkClient.Verb, "connect", station.Address, ConnectSeconds),
            CultureInfo.InvariantCulture))
            .Publish("network.connect", "per_s", results);

        Turns Rates(string direction, string streams, string[] options) => InTurns(runs * 2, station =>
            Test(bridge, station, ["--time", Seconds, "--parallel", streams, .. options]).MegabitsPerSecond);

        Turns Losses(string[] options) => InTurns(runs, station =>
            Test(bridge, station, ["--time", Seconds, "--udp", "--bitrate", DatagramRate, .. options]).LossPercent!.Value);

        Turns InTurns(int turns, Func<Station, double> measure)
        {
            var all = new Turns();
            for (int i = 0; i < turns; i++)
            {
                foreach (Station station in stations)
                {
                    all.Add(station.Name, measure(station));
                }
            }

            return all;
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
