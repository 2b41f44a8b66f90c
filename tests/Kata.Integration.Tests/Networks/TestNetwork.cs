using System.Globalization;
using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary>
/// A network namespace for a pod, as a network plugin leaves it, and one for whatever is at the other end of its links. Both go with this.
/// </summary>
internal sealed class TestNetwork : IAsyncDisposable
{
    private const string Ip = "/sbin/ip";
    private static int s_serial;

    private readonly string _name = string.Create(
        CultureInfo.InvariantCulture, $"kata-test-{Environment.ProcessId}-{Interlocked.Increment(ref s_serial)}");

    private TestNetwork()
    {
    }

    /// <summary>The name of the pod's namespace.</summary>
    public string Pod => _name + "-pod";

    /// <summary>The name of the other one.</summary>
    public string Wire => _name + "-wire";

    /// <summary>What a specification names.</summary>
    public string Path => "/run/netns/" + Pod;

    /// <summary>Makes both, without a link.</summary>
    public static async Task<TestNetwork> CreateAsync()
    {
        Assert.SkipUnless(File.Exists(Ip), "needs ip and tc (Debian: apt-get install iproute2)");
        var network = new TestNetwork();
        try
        {
            foreach (string name in (string[])[network.Pod, network.Wire])
            {
                await RunAsync(Ip, "netns", "add", name);
                await RunAsync(Ip, "-n", name, "link", "set", "lo", "up");
            }

            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    /// <summary>The same with a pair of links, <c>eth0</c> of the pod and <c>wire0</c>, and 10.77.0.2 and .1 on them.</summary>
    public static async Task<TestNetwork> CreateWithLinkAsync()
    {
        TestNetwork network = await CreateAsync();
        await network.AddLinkAsync("eth0", "wire0", "10.77.0.2/24", "10.77.0.1/24");
        await network.InPodAsync("route", "add", "default", "via", "10.77.0.1");
        return network;
    }

    /// <summary>Makes a pair of links that are up.</summary>
    public async Task AddLinkAsync(string pod, string wire, string podAddress, string wireAddress)
    {
        await RunAsync(Ip, "-n", Wire, "link", "add", wire, "type", "veth", "peer", "name", pod, "netns", Pod);
        await InPodAsync("addr", "add", podAddress, "dev", pod);
        await InPodAsync("link", "set", pod, "up");
        await OnWireAsync("addr", "add", wireAddress, "dev", wire);
        await OnWireAsync("link", "set", wire, "up");

        // The kernel takes note of the carrier, in flags and routes, some time after the other end is up.
        using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
        while (!(await InPodAsync("link", "show", pod)).Text.Contains("state UP", StringComparison.Ordinal))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), limit.Token);
        }
    }

    /// <summary>Runs <c>ip</c> in the pod's namespace.</summary>
    public Task<CommandResult> InPodAsync(params string[] arguments) => RunAsync([Ip, "-n", Pod, .. arguments]);

    /// <summary>Runs <c>ip</c> in the other one.</summary>
    public Task<CommandResult> OnWireAsync(params string[] arguments) => RunAsync([Ip, "-n", Wire, .. arguments]);

    /// <summary>Runs <c>tc</c> in the pod's namespace.</summary>
    public Task<CommandResult> TrafficInPodAsync(params string[] arguments) => RunAsync(["/sbin/tc", "-n", Pod, .. arguments]);

    /// <summary>Runs several commands of <c>ip</c> in the other one, as fast as that can be.</summary>
    public Task BatchOnWireAsync(params string[] commands) => BatchAsync(Wire, commands);

    /// <summary>The same in the pod's namespace.</summary>
    public Task BatchInPodAsync(params string[] commands) => BatchAsync(Pod, commands);

    /// <summary>Starts a program in the other one.</summary>
    public RunningCommand StartOnWire(params string[] command) =>
        RunningCommand.Start("/usr/bin/nsenter", [$"--net=/run/netns/{Wire}", .. command]);

    /// <summary>Everything in the pod's namespace that ours could have changed: links, addresses, routes, qdiscs and filters.</summary>
    public async Task<string> StateAsync()
    {
        string links = (await InPodAsync("-json", "-details", "link")).Text;
        // Counters and what the kernel knows of a link at the moment are not settings.
        string names = string.Join(' ', JsonNode.Parse(links)!.AsArray().Select(static link =>
            $"{link!["ifname"]} {link["mtu"]} {link["address"]} {link["flags"]!.ToJsonString()} {link["qdisc"]}"));
        string addresses = (await InPodAsync("-oneline", "addr")).Text;
        string routes = (await InPodAsync("route", "show", "table", "all")).Text;
        string qdiscs = (await TrafficInPodAsync("qdisc", "show")).Text;
        // The kernel makes a link's own address of the sixth version when it likes.
        return string.Join('\n', string.Join('\n', names, addresses, routes, qdiscs).Split('\n')
            .Where(static line => !line.Contains("fe80:", StringComparison.Ordinal)));
    }

    /// <summary>
    /// Waits until <see cref="StateAsync"/> is that: a pod that runs takes its tap back a moment after its guest has let go.
    /// </summary>
    public async Task UntilStateAsync(string expected)
    {
        for (int attempt = 0; attempt < 50 && await StateAsync() != expected; attempt++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TestContext.Current.CancellationToken);
        }

        Assert.Equal(expected, await StateAsync());
    }

    public async ValueTask DisposeAsync()
    {
        foreach (string name in (string[])[Pod, Wire])
        {
            using RunningCommand remove = RunningCommand.Start(Ip, ["netns", "del", name]);
            _ = await remove.FinishAsync(default, RuntimeFixture.Limit);
        }
    }

    private static async Task BatchAsync(string name, string[] commands)
    {
        using RunningCommand batch = RunningCommand.Start(Ip, ["-n", name, "-batch", "-"]);
        (await batch.FinishAsync(RuntimeFixture.Bytes(string.Join('\n', commands) + "\n"), RuntimeFixture.Limit)).Ok();
    }

    private static async Task<CommandResult> RunAsync(params string[] command)
    {
        using RunningCommand running = RunningCommand.Start(command[0], command[1..]);
        return (await running.FinishAsync(default, RuntimeFixture.Limit)).Ok();
    }
}
