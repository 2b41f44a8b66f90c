using System.Security.Cryptography;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary>The interfaces of a pod's network namespace in its guest: from the start, and as they change.</summary>
[Collection(ContainersGroup.Name)]
public sealed class NetworkTests : IClassFixture<NetworkFixture>
{
    private readonly NetworkFixture _host;

    public NetworkTests(NetworkFixture host)
    {
        RuntimeFixture.Require();
        _host = host;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Interface_OfTheNamespace_IsTheGuests()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        await network.InPodAsync("addr", "add", "fd77::2/64", "dev", "eth0", "nodad");
        await network.InPodAsync("addr", "add", "10.78.0.2/32", "dev", "eth0");
        await network.InPodAsync("link", "set", "eth0", "mtu", "1400", "address", "02:77:00:00:00:02");
        await network.InPodAsync("route", "add", "10.99.0.0/16", "via", "10.77.0.7");
        await network.InPodAsync("route", "add", "10.98.0.1", "dev", "eth0", "src", "10.78.0.2");
        await network.InPodAsync("-6", "route", "add", "default", "via", "fd77::1");
        await network.InPodAsync("neigh", "add", "10.77.0.9", "lladdr", "02:00:00:00:00:09", "dev", "eth0", "nud", "permanent");
        string before = await network.StateAsync();

        string pod = await StartAsync(network);
        string link = await ShellAsync(pod, "ip link show eth0");
        Assert.Contains("mtu 1400", link, StringComparison.Ordinal);
        Assert.Contains("link/ether 02:77:00:00:00:02", link, StringComparison.Ordinal);
        string addresses = await ShellAsync(pod, "ip addr show eth0");
        Assert.Contains("inet 10.77.0.2/24", addresses, StringComparison.Ordinal);
        Assert.Contains("inet 10.78.0.2/32", addresses, StringComparison.Ordinal);
        Assert.Contains("inet6 fd77::2/64 scope global", addresses, StringComparison.Ordinal);
        Assert.DoesNotContain("global tentative", addresses, StringComparison.Ordinal); // the kernel tries its link-local one for a second
        string routes = await ShellAsync(pod, "ip route; ip -6 route");
        Assert.Contains("default via 10.77.0.1 dev eth0", routes, StringComparison.Ordinal);
        Assert.Contains("10.99.0.0/16 via 10.77.0.7 dev eth0", routes, StringComparison.Ordinal);
        Assert.Contains("10.98.0.1 dev eth0 scope link  src 10.78.0.2", routes, StringComparison.Ordinal);
        Assert.Contains("default via fd77::1 dev eth0", routes, StringComparison.Ordinal);
        Assert.Contains("02:00:00:00:00:09", await ShellAsync(pod, "cat /proc/net/arp"), StringComparison.Ordinal);

        await DeleteAsync(pod);
        Assert.Equal(before, await network.StateAsync());
    }

    [Fact]
    public async Task Traffic_BothWays_ArrivesWhole()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        await network.InPodAsync("link", "set", "eth0", "mtu", "9000");
        await network.OnWireAsync("link", "set", "wire0", "mtu", "9000");
        string directory = _host.NewDirectory("www");
        byte[] content = RandomNumberGenerator.GetBytes(8 << 20);
        await File.WriteAllBytesAsync(Path.Combine(directory, "file"), content, Cancellation);
        using RunningCommand server = network.StartOnWire("/usr/bin/busybox", "httpd", "-f", "-p", "10.77.0.1:80", "-h", directory);
        string pod = await StartAsync(network, bundle => bundle.Mount("/www", "bind", directory, "bind"));

        Assert.Contains("0% packet loss", await ShellAsync(pod, "ping -c 2 -W 5 10.77.0.1"), StringComparison.Ordinal);
        Assert.Contains("0% packet loss", await ShellAsync(pod, "ping -c 2 -W 5 -s 8000 10.77.0.1"), StringComparison.Ordinal);
        string sum = Convert.ToHexStringLower(SHA256.HashData(content));
        Assert.StartsWith(sum, await ShellAsync(pod, "wget -q -O - http://10.77.0.1/file | sha256sum"), StringComparison.Ordinal);
        await ShellAsync(pod, "httpd -p 8080 -h /www");
        using RunningCommand client = network.StartOnWire("/usr/bin/busybox", "wget", "-q", "-O", "-", "http://10.77.0.2:8080/file");
        Assert.Equal(content, (await client.FinishAsync(default, RuntimeFixture.Limit)).Ok().Output);
        await ShellAsync(pod, "echo question | nc -u -w 1 10.77.0.1 9999 || true"); // a datagram to nobody harms nobody
        await DeleteAsync(pod);
    }

    [Fact]
    public async Task Changes_OfTheNamespace_ReachTheRunningGuest()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string pod = await StartAsync(network);

        await network.InPodAsync("addr", "add", "10.77.0.50/24", "dev", "eth0");
        await UntilAsync(pod, "ip addr show eth0", "10.77.0.50/24", there: true);
        await network.InPodAsync("route", "add", "10.44.0.0/16", "via", "10.77.0.1");
        await UntilAsync(pod, "ip route", "10.44.0.0/16 via 10.77.0.1", there: true);
        await network.InPodAsync("link", "set", "eth0", "mtu", "1300");
        await UntilAsync(pod, "ip link show eth0", "mtu 1300", there: true);
        await network.InPodAsync("route", "del", "10.44.0.0/16");
        await UntilAsync(pod, "ip route", "10.44.0.0/16", there: false);
        await network.InPodAsync("addr", "del", "10.77.0.50/24", "dev", "eth0");
        await UntilAsync(pod, "ip addr show eth0", "10.77.0.50/24", there: false);
        Assert.Contains("default via 10.77.0.1", await ShellAsync(pod, "ip route"), StringComparison.Ordinal);
        await DeleteAsync(pod);
    }

    [Fact]
    public async Task Interfaces_ThatComeAndGoUnderTraffic_AreTheGuests()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string before = await network.StateAsync();
        string pod = await StartAsync(network);
        Task<CommandResult> pings = _host.ExecShellAsync(pod, "ping -c 40 -i 0.2 -W 5 10.77.0.1");

        for (int round = 1; round <= 2; round++)
        {
            await network.AddLinkAsync("net1", "wire1", "10.81.0.2/24", "10.81.0.1/24");
            await network.AddLinkAsync("net2", "wire2", "10.82.0.2/24", "10.82.0.1/24");
            await UntilAsync(pod, "ip addr", "10.81.0.2/24", there: true);
            await UntilAsync(pod, "ip addr", "10.82.0.2/24", there: true);
            Assert.Contains("0% packet loss", await ShellAsync(pod, "ping -c 1 -W 5 10.82.0.1"), StringComparison.Ordinal);
            await network.OnWireAsync("link", "del", "wire1");
            await network.OnWireAsync("link", "del", "wire2");
            await UntilAsync(pod, "ip link", "net1", there: false);
            await UntilAsync(pod, "ip link", "net2", there: false);
        }

        Assert.Contains(" 0% packet loss", (await pings).Ok().Text, StringComparison.Ordinal);
        await DeleteAsync(pod);
        Assert.Equal(before, await network.StateAsync());
    }

    [Fact]
    public async Task Interface_ReplacedByOneThatLooksTheSame_Works()
    {
        const string Hardware = "02:77:00:00:00:33";
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        await network.InPodAsync("link", "set", "eth0", "address", Hardware);
        string pod = await StartAsync(network);
        for (int round = 1; round <= 2; round++)
        {
            // At once, so that the guest may be told of both changes together.
            await network.BatchOnWireAsync(
                "link del wire0",
                $"link add wire0 type veth peer name eth0 address {Hardware} netns {network.Pod}",
                "addr add 10.77.0.1/24 dev wire0",
                "link set wire0 up");
            await network.InPodAsync("addr", "add", "10.77.0.2/24", "dev", "eth0");
            await network.InPodAsync("link", "set", "eth0", "up");
            await UntilAsync(pod, "ping -c 1 -W 5 10.77.0.1 2>&1 || true", " 0% packet loss", there: true);
        }

        await DeleteAsync(pod);
    }

    [Fact]
    public async Task Interfaces_MoreThanTheMachineHasPlaces_AreRefusedOnce()
    {
        const int Added = 34;
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string pod = await StartAsync(network);
        await network.BatchOnWireAsync(
            [.. Enumerable.Range(1, Added).Select(number => $"link add w{number} up type veth peer name n{number} netns {network.Pod}")]);
        await network.BatchInPodAsync([.. Enumerable.Range(1, Added).Select(static number => $"link set n{number} up")]);

        Assert.InRange(await SettledAsync("places for disks, network cards and devices of the host are taken"), 1, Added);
        Assert.Contains(" 0% packet loss", await ShellAsync(pod, "ping -c 1 -W 5 10.77.0.1"), StringComparison.Ordinal);
        await network.BatchOnWireAsync("link del w1", "link del w2");
        await UntilAsync(pod, "ip link", "n1:", there: false);
        await DeleteAsync(pod);
    }

    [Theory]
    [InlineData("/nowhere/netns", "No such file or directory")]
    [InlineData("/proc/self/ns/mnt", "it is no network namespace")]
    [InlineData("/etc/hostname", "it is no network namespace")]
    public async Task Namespace_ThatIsNone_IsRefused(string path, string reason)
    {
        TestBundle bundle = _host.NewBundle().Args("true");
        Network(bundle, path);

        CommandResult result = await _host.RunAsync("run", "--bundle", bundle.Write(), _host.NewId());

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(path, result.Error, StringComparison.Ordinal);
        Assert.Contains(reason, result.Error, StringComparison.Ordinal);
        await _host.AssertCleanAsync();
    }

    [Fact]
    public async Task Namespace_OfAnotherPod_IsRefusedAndTheOtherGoesOn()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string pod = await StartAsync(network);
        TestBundle second = _host.NewBundle().Args("true");
        Network(second, network.Path);

        CommandResult result = await _host.RunAsync("run", "--bundle", second.Write(), _host.NewId());

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("the machine of another pod has it already", result.Error, StringComparison.Ordinal);
        Assert.Contains(" 0% packet loss", await ShellAsync(pod, "ping -c 1 -W 5 10.77.0.1"), StringComparison.Ordinal);
        await DeleteAsync(pod);
    }

    [Fact]
    public async Task Interface_ThatNoCardCanBe_IsNamedAndTheOthersWork()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        await network.InPodAsync("tuntap", "add", "dev", "tun7", "mode", "tun");
        await network.InPodAsync("addr", "add", "10.7.0.1/24", "dev", "tun7");
        string pod = await StartAsync(network);

        Assert.Contains(" 0% packet loss", await ShellAsync(pod, "ping -c 1 -W 5 10.77.0.1"), StringComparison.Ordinal);
        Assert.DoesNotContain("tun7", await ShellAsync(pod, "ip link"), StringComparison.Ordinal);
        Assert.Contains("The interface 'tun7' is not in the guest", await File.ReadAllTextAsync(_host.Log, Cancellation));
        await DeleteAsync(pod);
    }

    [Fact]
    public async Task Service_Killed_DeleteLeavesTheNamespaceAsItWas()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string before = await network.StateAsync();
        string pod = await StartAsync(network);
        HostProcess.Signal(_host.ServicePid(pod), 9);

        (await _host.RunAsync("delete", "--force", pod)).Ok();

        Assert.Equal(before, await network.StateAsync());
        await _host.AssertCleanAsync();
    }

    private static void Network(TestBundle bundle, string path) => NetworkFixture.Network(bundle, path);

    private Task<string> StartAsync(TestNetwork network, Action<TestBundle>? edit = null) => _host.StartAsync(network, edit);

    private Task DeleteAsync(string pod) => _host.DeleteAsync(pod);

    private Task<string> ShellAsync(string pod, string script) => _host.ShellAsync(pod, script);

    private Task<int> SettledAsync(string text) => _host.SettledAsync(text);

    private Task UntilAsync(string pod, string script, string text, bool there) => _host.UntilAsync(pod, script, text, there);
}
