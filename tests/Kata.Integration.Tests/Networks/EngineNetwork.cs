using System.Globalization;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary>A network namespace in which an engine runs: its bridges, rules and forwarders are there, and nothing is on the host.</summary>
internal sealed class EngineNetwork
{
    private const string Ip = "/usr/sbin/ip";

    private static int s_networks;

    private readonly string _name;

    private EngineNetwork(string name) => _name = name;

    /// <summary>A command that runs another one here. It hides nothing, where <c>ip netns exec</c> would hide the control groups.</summary>
    public string[] Launcher => ["/usr/bin/nsenter", $"--net=/run/netns/{_name}"];

    /// <summary>Why there can be none, or null.</summary>
    public static string? Problem { get; } =
        !File.Exists(Ip) ? "needs ip and tc (Debian: apt-get install iproute2)"
        : !File.Exists("/usr/sbin/iptables-save") ? "needs iptables (Debian: apt-get install iptables)"
        : null;

    public static async Task<EngineNetwork> CreateAsync()
    {
        var network = new EngineNetwork(
            string.Create(CultureInfo.InvariantCulture, $"kata-it{Environment.ProcessId}-{Interlocked.Increment(ref s_networks)}"));
        (await StartAsync([Ip, "netns", "add", network._name])).Ok();
        (await StartAsync([Ip, "-n", network._name, "link", "set", "lo", "up"])).Ok();
        return network;
    }

    public Task<CommandResult> RunAsync(params string[] command) => StartAsync([.. Launcher, .. command]);

    /// <summary>What an HTTP server says to a client here, once it listens.</summary>
    public async Task<string> FetchAsync(string url)
    {
        CommandResult result = new(1, [], "");
        for (int attempt = 1; attempt <= 20 && result.ExitCode != 0; attempt++)
        {
            result = await RunAsync("/usr/bin/timeout", "5", RootFileSystem.Busybox!, "wget", "-q", "-O", "-", url);
            await Task.Delay(TimeSpan.FromMilliseconds(result.ExitCode == 0 ? 0 : 100));
        }

        return result.Ok().Text;
    }

    /// <summary>An echo request from here is answered.</summary>
    public async Task PingAsync(string address) => (await RunAsync(RootFileSystem.Busybox!, "ping", "-c", "1", "-W", "5", address)).Ok();

    /// <summary>What an engine makes for containers here: links but bridges, queueing disciplines, rules that translate ports.</summary>
    public async Task<string> StateAsync()
    {
        string[] bridges = await LinksAsync("type", "bridge");
        string[] links = [.. (await LinksAsync()).Except(bridges)];
        string[] disciplines = [.. (await RunAsync("/usr/sbin/tc", "qdisc", "show")).Ok().Lines
            .Where(line => !bridges.Any(bridge => line.Contains($"dev {bridge} ", StringComparison.Ordinal)))];
        string[] rules = [.. (await RunAsync("/usr/sbin/iptables-save", "-t", "nat")).Ok().Lines
            .Where(static line => line.Contains("--to-destination", StringComparison.Ordinal))];
        return string.Join('\n', [.. links.Order(StringComparer.Ordinal), .. disciplines, .. rules]);
    }

    public Task RemoveAsync() => StartAsync([Ip, "netns", "delete", _name]);

    private async Task<string[]> LinksAsync(params string[] filter) =>
    [
        .. (await RunAsync([Ip, "-o", "link", "show", .. filter])).Ok().Lines
            .Where(static line => line.Length > 0).Select(static line => line.Split(": ")[1].Split('@')[0]),
    ];

    private static async Task<CommandResult> StartAsync(string[] command)
    {
        using RunningCommand running = RunningCommand.Start(command[0], command[1..]);
        return await running.FinishAsync(default, RuntimeFixture.Limit);
    }
}
