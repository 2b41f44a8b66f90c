using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary>Guests whose cards are connected by another model than the filters.</summary>
[Collection(ContainersGroup.Name)]
public sealed class NetworkModelTests : IClassFixture<NetworkFixture>
{
    private const string Annotations = "io.katacontainers.config.";

    private readonly NetworkFixture _host;

    public NetworkModelTests(NetworkFixture host)
    {
        RuntimeFixture.Require();
        _host = host;
    }

    // With several queues QEMU would abort when the second interface goes.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Macvtap_Interfaces_AreTheGuestsAtTheStartAndLater(int processors)
    {
        await using TestNetwork network = await MacvtapNetworkAsync();
        await network.InPodAsync("addr", "add", "fd77::2/64", "dev", "eth0", "nodad");
        await network.OnWireAsync("addr", "add", "fd77::1/64", "dev", "wire0", "nodad");
        string before = await network.StateAsync();
        string pod = await StartAsync(network, "macvtap", processors);

        Assert.Contains("macvtap", (await network.InPodAsync("-details", "link")).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("ingress", await network.StateAsync(), StringComparison.Ordinal);
        await AssertReachesAsync(pod, "10.77.0.1");
        await AssertReachesAsync(pod, "fd77::1");
        await _host.ShellAsync(pod, "mkdir /www; dd if=/dev/zero of=/www/file bs=1M count=4 2>/dev/null; httpd -p 8080 -h /www");
        using RunningCommand client = network.StartOnWire("/usr/bin/busybox", "wget", "-q", "-O", "-", "http://10.77.0.2:8080/file");
        Assert.Equal(4 << 20, (await client.FinishAsync(default, RuntimeFixture.Limit)).Ok().Output.Length);

        await network.InPodAsync("link", "set", "eth0", "mtu", "1300");
        await _host.UntilAsync(pod, "ip link show eth0", "mtu 1300", there: true);
        await network.AddLinkAsync("net1", "wire1", "10.81.0.2/24", "10.81.0.1/24");
        await _host.UntilAsync(pod, "ping -c 1 -W 5 10.81.0.1 2>&1 || true", " 0% packet loss", there: true);
        await network.OnWireAsync("link", "del", "wire1");
        await _host.UntilAsync(pod, "ip link", "net1", there: false);
        await AssertReachesAsync(pod, "10.77.0.1");
        await network.InPodAsync("link", "set", "eth0", "mtu", "1500");
        await _host.DeleteAsync(pod);
        Assert.Equal(before, await network.StateAsync());
    }

    [Fact]
    public async Task Macvtap_ServiceKilled_DeleteLeavesTheNamespaceAsItWas()
    {
        await using TestNetwork network = await MacvtapNetworkAsync();
        string before = await network.StateAsync();
        string pod = await StartAsync(network, "macvtap");
        HostProcess.Signal(_host.ServicePid(pod), 9);

        await _host.DeleteAsync(pod);

        Assert.Equal(before, await network.StateAsync());
        await _host.AssertCleanAsync();
    }

    [Fact]
    public async Task None_Interface_IsTheGuestsAndLeadsNowhere()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string before = await network.StateAsync();
        string pod = await StartAsync(network, "none");

        Assert.Contains("10.77.0.2/24", await _host.ShellAsync(pod, "ip addr show eth0"), StringComparison.Ordinal);
        Assert.Contains("100% packet loss", await _host.ShellAsync(pod, "ping -c 1 -W 2 10.77.0.1 || true"), StringComparison.Ordinal);
        Assert.DoesNotContain("ingress", await network.StateAsync(), StringComparison.Ordinal);
        await _host.DeleteAsync(pod);
        Assert.Equal(before, await network.StateAsync());
    }

    // Whoever asks for this model connects the tap by means of their own.
    [Fact]
    public async Task None_TapOnABridgeOfTheCallers_ReachesThePeer()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string pod = await StartAsync(network, "none");
        string tap = (await network.InPodAsync("-oneline", "link", "show")).Text.Split(": ").First(
            static word => word.EndsWith("_kata", StringComparison.Ordinal));

        await network.BatchOnWireAsync(
            $"link add wire9 type veth peer name port9 netns {network.Pod}", "addr del 10.77.0.1/24 dev wire0",
            "addr add 10.77.0.1/24 dev wire9", "link set wire9 up");
        await network.BatchInPodAsync(
            "link add br9 type bridge", $"link set {tap} master br9", "link set port9 master br9", "link set port9 up", "link set br9 up");
        await _host.UntilAsync(pod, "ping -c 1 -W 5 10.77.0.1 2>&1 || true", " 0% packet loss", there: true);
        await _host.DeleteAsync(pod);
    }

    [Theory]
    [InlineData("macvtap", "rx_rate_limiter_max_rate")]
    [InlineData("none", "tx_rate_limiter_max_rate")]
    public async Task Model_ThatCannotKeepARate_IsRefused(string model, string rate)
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string before = await network.StateAsync();
        TestBundle bundle = _host.NewBundle().Args("true")
            .Annotation($"{Annotations}runtime.internetworking_model", model)
            .Annotation($"{Annotations}hypervisor.{rate}", "1000000");
        NetworkFixture.Network(bundle, network.Path);

        CommandResult result = await _host.RunAsync("run", "--bundle", bundle.Write(), _host.NewId());

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(
            $"hypervisor.{rate} holds 1000000, which the network model \"{model}\" cannot keep", result.Error, StringComparison.Ordinal);
        Assert.Equal(before, await network.StateAsync());
    }

    private Task<string> StartAsync(TestNetwork network, string model, int processors = 1) => _host.StartAsync(network, bundle => bundle
        .Annotation($"{Annotations}runtime.internetworking_model", model)
        .Annotation($"{Annotations}hypervisor.default_vcpus", $"{processors}"));

    private async Task AssertReachesAsync(string pod, string address) => Assert.Contains(
        " 0% packet loss", await _host.ShellAsync(pod, $"ping -c 2 -W 5 {address}"), StringComparison.Ordinal);

    // Skips where the host's kernel has no macvtap.
    private static async Task<TestNetwork> MacvtapNetworkAsync()
    {
        TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        try
        {
            await network.AddLinkAsync("probe0", "probe1", "10.76.0.2/24", "10.76.0.1/24");
            using RunningCommand probe = RunningCommand.Start(
                "/sbin/ip", ["-n", network.Pod, "link", "add", "link", "probe0", "name", "probe2", "type", "macvtap"]);
            CommandResult result = await probe.FinishAsync(default, RuntimeFixture.Limit);
            Assert.SkipWhen(result.ExitCode != 0, $"needs a kernel with macvtap: {result.Error}");
            await network.OnWireAsync("link", "del", "probe1");
            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }
}
