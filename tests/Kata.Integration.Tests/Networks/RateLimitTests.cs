using System.Diagnostics;
using System.Globalization;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary>
/// How fast a guest receives and sends where its pod's rates are limited. The times are such that no busy machine is taken for a limit, and
/// no limit for a busy machine: without any, what takes seconds here takes some tenths.
/// </summary>
[Collection(ContainersGroup.Name)]
public sealed class RateLimitTests : IClassFixture<NetworkFixture>
{
    private const string Annotation = "io.katacontainers.config.hypervisor.";
    private const int FileBytes = 6_000_000;

    private readonly NetworkFixture _host;

    public RateLimitTests(NetworkFixture host)
    {
        RuntimeFixture.Require();
        _host = host;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    // 2 MB and 1 MB a second: 3 and 6 s.
    [Fact]
    public async Task Rates_OfThePod_HoldEachItsDirectionOnEachInterface()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string before = await network.StateAsync();
        string directory = await FilesAsync();
        using RunningCommand server = Serve(network, directory);
        string pod = await StartAsync(network, directory, receive: 16_000_000, send: 8_000_000);

        Assert.InRange(await ReceiveAsync(pod, "10.77.0.1"), Seconds(2.7), Seconds(20));
        Assert.InRange(await SendAsync(network, "10.77.0.2"), Seconds(5.5), Seconds(25));
        await network.AddLinkAsync("net1", "wire1", "10.81.0.2/24", "10.81.0.1/24");
        await _host.UntilAsync(pod, "ip addr", "10.81.0.2/24", there: true);
        Assert.InRange(await ReceiveAsync(pod, "10.81.0.1"), Seconds(2.7), Seconds(20));
        Assert.InRange(await SendAsync(network, "10.81.0.2"), Seconds(5.5), Seconds(25));
        Assert.Contains(" 0% packet loss", await _host.ShellAsync(pod, "ping -c 2 -W 5 10.77.0.1"), StringComparison.Ordinal);

        await network.OnWireAsync("link", "del", "wire1");
        await _host.UntilAsync(pod, "ip link", "net1", there: false);
        await _host.DeleteAsync(pod);
        Assert.Equal(before, await network.StateAsync());
    }

    [Fact]
    public async Task Rate_OneDirectionOnly_LeavesTheOtherAsItIs()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string directory = await FilesAsync();
        using RunningCommand server = Serve(network, directory);
        string pod = await StartAsync(network, directory, receive: 0, send: 8_000_000);

        TimeSpan received = await ReceiveAsync(pod, "10.77.0.1");
        Assert.InRange(await SendAsync(network, "10.77.0.2"), Seconds(5.5), Seconds(25));
        Assert.InRange(received, Seconds(0), Seconds(5));
        await _host.DeleteAsync(pod);
    }

    // As CNI's plugin for bandwidth, or a user, has it: half of the pod's rate, so that it decides.
    [Fact]
    public async Task Rate_InterfaceHasABucketOfItsOwn_BothHold()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string[] bucket = [.. "qdisc add dev eth0 root handle 7: tbf rate 4mbit burst 100kb limit 200kb".Split(' ')];
        await network.TrafficInPodAsync(bucket);
        string before = await network.StateAsync();
        Assert.Contains("tbf 7: dev eth0 root", before, StringComparison.Ordinal);
        string directory = await FilesAsync();
        string pod = await StartAsync(network, directory, receive: 0, send: 8_000_000);

        Assert.InRange(await SendAsync(network, "10.77.0.2"), Seconds(10), Seconds(40));
        await network.TrafficInPodAsync("qdisc", "del", "dev", "eth0", "root");
        Assert.InRange(await SendAsync(network, "10.77.0.2"), Seconds(5.5), Seconds(10));
        await network.TrafficInPodAsync(bucket);
        await _host.DeleteAsync(pod);
        Assert.Equal(before, await network.StateAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Service_Killed_DeleteLeavesTheNamespaceAsItWas(bool linkIsGone)
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string pod = await StartAsync(network, await FilesAsync(), receive: 16_000_000, send: 8_000_000);
        Assert.Contains("_kata", await network.StateAsync(), StringComparison.Ordinal);
        HostProcess.Signal(_host.ServicePid(pod), 9);
        if (linkIsGone)
        {
            await network.OnWireAsync("link", "del", "wire0");
        }

        await _host.DeleteAsync(pod);

        string after = await network.StateAsync();
        Assert.DoesNotContain("_kata", after, StringComparison.Ordinal);
        Assert.DoesNotContain("ingress", after, StringComparison.Ordinal);
        await _host.AssertCleanAsync();
    }

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private static RunningCommand Serve(TestNetwork network, string directory) =>
        network.StartOnWire("/usr/bin/busybox", "httpd", "-f", "-p", "80", "-h", directory);

    private async Task<string> FilesAsync()
    {
        string directory = _host.NewDirectory("www");
        await File.WriteAllBytesAsync(Path.Combine(directory, "file"), new byte[FileBytes], Cancellation);
        return directory;
    }

    private async Task<string> StartAsync(TestNetwork network, string directory, long receive, long send)
    {
        string pod = await _host.StartAsync(network, bundle => bundle
            .Mount("/www", "bind", directory, "bind")
            .Annotation(Annotation + "rx_rate_limiter_max_rate", receive.ToString(CultureInfo.InvariantCulture))
            .Annotation(Annotation + "tx_rate_limiter_max_rate", send.ToString(CultureInfo.InvariantCulture)));
        await _host.ShellAsync(pod, "httpd -p 8080 -h /www");
        return pod;
    }

    private async Task<TimeSpan> ReceiveAsync(string pod, string from)
    {
        var watch = Stopwatch.StartNew();
        Assert.Equal($"{FileBytes}", (await _host.ShellAsync(pod, $"wget -q -O - http://{from}/file | wc -c")).Trim());
        return watch.Elapsed;
    }

    private static async Task<TimeSpan> SendAsync(TestNetwork network, string from)
    {
        var watch = Stopwatch.StartNew();
        using RunningCommand client = network.StartOnWire("/usr/bin/busybox", "wget", "-q", "-O", "-", $"http://{from}:8080/file");
        Assert.Equal(FileBytes, (await client.FinishAsync(default, RuntimeFixture.Limit)).Ok().Output.Length);
        return watch.Elapsed;
    }
}
