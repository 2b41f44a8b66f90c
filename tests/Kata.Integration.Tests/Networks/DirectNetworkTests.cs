using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary>Guests whose cards a file names, with a real switch in user space as the back end, and with a tap.</summary>
[Collection(ContainersGroup.Name)]
public sealed class DirectNetworkTests : IClassFixture<DirectNetworkFixture>
{
    private readonly DirectNetworkFixture _host;

    public DirectNetworkTests(DirectNetworkFixture host)
    {
        RuntimeFixture.Require();
        _host = host;
    }

    // As Open vSwitch advises: the machine has the socket, and the switch comes back to it.
    [Fact]
    public async Task VhostUser_SwitchConnects_GuestIsOnItAndAgainAfterItsRestart()
    {
        await using TestNetwork network = await TestNetwork.CreateAsync();
        await using OpenVSwitch back = await OpenVSwitch.StartAsync(network);
        string socket = back.PathOf("card.sock");
        await back.AddConnectingPortAsync("card", socket);
        string pod = await _host.StartAsync(DirectNetworkFixture.Document($$"""{ "type": "vhost-user", "path": "{{socket}}" }"""));

        await AssertReachesAsync(pod);
        await AssertHasWhatTheFileSaysAsync(pod);
        await _host.ShellAsync(pod, "mkdir /www; dd if=/dev/zero of=/www/file bs=1M count=4 2>/dev/null; httpd -p 8080 -h /www");
        using RunningCommand client = network.StartOnWire("/usr/bin/busybox", "wget", "-q", "-O", "-", "http://10.77.0.2:8080/file");
        Assert.Equal(4 << 20, (await client.FinishAsync(default, RuntimeFixture.Limit)).Ok().Output.Length);

        CommandResult change = await _host.RunAsync("interface", "add", "--name", "eth9", pod);
        Assert.NotEqual(0, change.ExitCode);
        Assert.Contains($"its pod has the network of the file '{_host.FileOf(pod)}'", change.Error, StringComparison.Ordinal);

        await back.KillSwitchAsync();
        Assert.Contains("100% packet loss", await _host.ShellAsync(pod, "ping -c 1 -W 2 10.77.0.1 || true"), StringComparison.Ordinal);
        await back.StartSwitchAsync();
        await AssertReachesAsync(pod);

        HostProcess.Signal(_host.ServicePid(pod), 9);
        (await _host.RunAsync("delete", "--force", pod)).Ok();
        Assert.False(File.Exists(socket));
        await _host.AssertCleanAsync();
    }

    // The socket is the switch's, and is connected to again when that is back.
    [Fact]
    public async Task VhostUser_SwitchListens_GuestIsOnItAndAgainAfterItsRestart()
    {
        await using TestNetwork network = await TestNetwork.CreateAsync();
        await using OpenVSwitch back = await OpenVSwitch.StartAsync(network);
        string socket = await back.AddListeningPortAsync("card");
        string pod = await _host.StartAsync(DirectNetworkFixture.Document(
            $$"""{ "type": "vhost-user", "path": "{{socket}}", "queue_num": 1, "queue_size": 1024 }"""));

        await AssertReachesAsync(pod);
        await AssertHasWhatTheFileSaysAsync(pod);
        await back.KillSwitchAsync();
        Assert.Contains("100% packet loss", await _host.ShellAsync(pod, "ping -c 1 -W 2 10.77.0.1 || true"), StringComparison.Ordinal);
        File.Delete(socket); // a switch that was killed leaves it, and does not start with it
        await back.StartSwitchAsync();
        await AssertReachesAsync(pod);
        (await _host.RunAsync("delete", "--force", pod)).Ok();
        await _host.AssertCleanAsync();
    }

    [Fact]
    public async Task HostTap_OfANamespace_IsTheGuestsAndStays()
    {
        await using TestNetwork network = await TestNetwork.CreateAsync();
        await network.InPodAsync("tuntap", "add", "tap7", "mode", "tap");
        await network.InPodAsync("addr", "add", "10.77.0.1/24", "dev", "tap7");
        await network.InPodAsync("link", "set", "tap7", "up");
        string pod = await _host.StartAsync(DirectNetworkFixture.Document(
            """{ "type": "host-tap", "tap_name": "tap7", "queue_size": 512 }""", network.Path));

        await AssertReachesAsync(pod);
        await AssertHasWhatTheFileSaysAsync(pod);
        (await _host.RunAsync("delete", "--force", pod)).Ok();
        Assert.Contains("tap7", (await network.InPodAsync("link")).Text, StringComparison.Ordinal);
        await _host.AssertCleanAsync();
    }

    [Theory]
    [InlineData("""{ "type": "host-tap", "tap_name": "kata-none7" }""", "there is none. Make it first, as by 'ip tuntap add kata-none7")]
    [InlineData("""{ "type": "vhost-user", "path": "/run/kata-none7/s" }""", "its directory is not there. Make it, or start the program")]
    [InlineData("""{ "type": "vhost-user", "path": "/etc/passwd" }""", "that is no socket. Name the program's")]
    [InlineData("""{ "type": "vfio", "pci_device_id": "0000:01:00.0" }""", "/devices/0/device/type: holds the string 'vfio'. It must be")]
    public async Task Device_ThatCannotBe_IsRefusedAndNothingIsLeft(string device, string text)
    {
        (string pod, CommandResult result) = await _host.TryStartAsync(DirectNetworkFixture.Document(device));

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(text, result.Error, StringComparison.Ordinal);
        (await _host.RunAsync("delete", "--force", pod)).Ok();
        await _host.AssertCleanAsync();
    }

    private async Task AssertHasWhatTheFileSaysAsync(string pod)
    {
        string link = await _host.ShellAsync(pod, "ip link show lan0; ip addr show lan0; ip route; ip neigh");
        foreach (string text in (string[])
            ["mtu 1400", "02:00:00:00:77:02", "10.77.0.2/24", "10.88.0.0/16 via 10.77.0.1", "02:00:00:00:77:99"])
        {
            Assert.Contains(text, link, StringComparison.Ordinal);
        }
    }

    // A switch that has just begun may lose the first ones.
    private async Task AssertReachesAsync(string pod)
    {
        string seen = "";
        for (int attempt = 0; attempt < 20; attempt++)
        {
            seen = await _host.ShellAsync(pod, $"ping -c 1 -W 3 {OpenVSwitch.Address} || true");
            if (seen.Contains(" 0% packet loss", StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail($"{OpenVSwitch.Address} does not answer: {seen}");
    }
}
