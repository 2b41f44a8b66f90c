using System.Globalization;
using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary>
/// Changes of a pod's network by <c>kata-runtime network</c>, <c>interface</c> and <c>route</c>. The pod is created from the namespace
/// at the other end of its links, which so plays the host's.
/// </summary>
[Collection(ContainersGroup.Name)]
public sealed class NetworkCommandTests : IClassFixture<RuntimeFixture>
{
    private const int Kill = 9;
    private const int Stop = 19;

    private readonly RuntimeFixture _host;

    public NetworkCommandTests(RuntimeFixture host)
    {
        RuntimeFixture.Require();
        _host = host;
    }

    [Fact]
    public async Task Network_WithKatasDocuments_GivesChangesAndTakesBack()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        await network.OnWireAsync("link", "add", "host1", "type", "veth", "peer", "name", "far1");
        await network.OnWireAsync("addr", "add", "10.91.0.1/24", "dev", "far1");
        await network.OnWireAsync("link", "set", "far1", "up");
        string before = await network.StateAsync();
        string pod = await StartAsync(network);

        // From the host's namespace, with another name.
        JsonNode made = JsonNode.Parse((await NetworkAsync(
            pod, "add-iface",
            """
            {"device": "host1", "name": "data", "IPAddresses": [{"family": 0, "address": "10.91.0.2", "mask": "24"}],
             "mtu": 1400, "hwAddr": "02:91:00:00:00:02", "pciPath": "", "type": "veth", "raw_flags": 0}
            """)).Ok().Text)!;
        Assert.Equal("data 1400 02:91:00:00:00:02", $"{made["Name"]} {made["Mtu"]} {made["HwAddr"]}");
        Assert.Contains(" 0% packet loss", await ShellAsync(pod, "ping -c 1 -W 5 10.91.0.1"), StringComparison.Ordinal);
        Assert.Equal("", (await network.OnWireAsync("-br", "link", "show", "type", "veth", "group", "default")).Text
            .Split('\n').FirstOrDefault(static line => line.StartsWith("host1", StringComparison.Ordinal)) ?? "");

        // All of its addresses, and what was not said stays.
        (await NetworkAsync(
            pod, "update-iface",
            """{"Name": "data", "IPAddresses": [{"Address": "10.91.0.3", "Mask": "24"}, {"Address": "fd91::3", "Mask": "64"}]}""")).Ok();
        JsonNode listed = JsonNode.Parse((await _host.RunAsync("kata-network", "list-ifaces", pod)).Ok().Text)!.AsArray()
            .Single(static item => item!["Name"]!.ToString() == "data")!;
        string addresses = listed["IPAddresses"]!.ToJsonString();
        Assert.Contains("10.91.0.3", addresses, StringComparison.Ordinal);
        Assert.Contains("fd91::3", addresses, StringComparison.Ordinal);
        Assert.DoesNotContain("10.91.0.2", addresses, StringComparison.Ordinal);
        Assert.Equal("1400", listed["Mtu"]!.ToString());

        // All routes; what the kernel has made for addresses stays.
        (await NetworkAsync(
            pod, "update-routes",
            """[{"Dest": "default", "Gateway": "10.91.0.1"}, {"dest": "10.92.0.0/16", "gateway": "10.77.0.1", "device": "eth0"}]""")).Ok();
        string routes = await ShellAsync(pod, "ip route");
        Assert.Contains("default via 10.91.0.1 dev data", routes, StringComparison.Ordinal);
        Assert.Contains("10.92.0.0/16 via 10.77.0.1 dev eth0", routes, StringComparison.Ordinal);
        Assert.Contains("10.77.0.0/24 dev eth0", routes, StringComparison.Ordinal);
        Assert.DoesNotContain("default via 10.77.0.1", routes, StringComparison.Ordinal);
        string list = (await _host.RunAsync("network", "list-routes", pod)).Ok().Text;
        Assert.Contains("10.92.0.0/16", list, StringComparison.Ordinal);
        (await NetworkAsync(pod, "update-routes", list)).Ok(); // what is listed is what is taken
        Assert.Equal(routes, await ShellAsync(pod, "ip route"));

        // Back to where it came from.
        (await NetworkAsync(pod, "update-routes", """[{"Gateway": "10.77.0.1", "Device": "eth0"}]""")).Ok();
        (await NetworkAsync(pod, "del-iface", """{"name": "data"}""")).Ok();
        Assert.DoesNotContain("data", await ShellAsync(pod, "ip link"), StringComparison.Ordinal);
        Assert.Contains("host1", (await network.OnWireAsync("link")).Text, StringComparison.Ordinal);
        await DeleteAsync(pod);
        Assert.Equal(WithoutProtocol(before), WithoutProtocol(await network.StateAsync()));
    }

    [Fact]
    public async Task Interface_AndRoute_WithRunVsOptions()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        await network.OnWireAsync("link", "add", "wire1", "type", "veth", "peer", "name", "net1", "netns", network.Pod);
        await network.OnWireAsync("addr", "add", "10.93.0.1/24", "dev", "wire1");
        await network.OnWireAsync("link", "set", "wire1", "up");
        string pod = await StartAsync(network);
        Assert.DoesNotContain("net1", await ShellAsync(pod, "ip link"), StringComparison.Ordinal); // off, and without an address

        (await _host.RunAsync("interface", "add", "--host-device", "net1", "--ip", "10.93.0.2/24", "--mtu", "1300", pod)).Ok();
        (await _host.RunAsync("interface", "update", "--add-ip", "10.94.0.2/24", "--delete-ip", "10.93.0.2/24", pod, "net1")).Ok();
        (await _host.RunAsync("route", "add", "--dev", "net1", pod, "10.95.0.0/16")).Ok();
        string[] interfaces = (await _host.RunAsync("interface", "ls", pod)).Ok().Lines;
        Assert.Matches(@"^Name\s+Mac\s+IP\s+Mtu$", interfaces[0]);
        Assert.Matches(@"^net1\s+([0-9a-f]{2}:){5}[0-9a-f]{2}\s+10\.94\.0\.2/24(,fe80:\S+)?\s+1300$", Line(interfaces, "net1"));
        Assert.Matches(@"^10\.95\.0\.0/16\s+-\s+net1\s+-$", Line((await _host.RunAsync("route", "ls", pod)).Ok().Lines, "10.95."));
        Assert.Contains("10.95.0.0/16 dev net1", await ShellAsync(pod, "ip route"), StringComparison.Ordinal);

        AssertRefused(
            await _host.RunAsync("interface", "update", "--add-ip", "10.77.0.2/16", pod, "net1"),
            "Cannot change the interface 'net1': the pod's interface 'eth0' has the address '10.77.0.2/24' already. Choose another one");
        AssertRefused(
            await _host.RunAsync("interface", "add", "--host-device", "nowhere0", pod),
            "Cannot add the interface 'nowhere0': neither the pod's network namespace");
        AssertRefused(
            await _host.RunAsync("interface", "update", "--mtu", "1400", pod, "eth9"),
            "Cannot change the interface 'eth9': the guest has no such interface; it has 'eth0', 'net1'");
        await network.InPodAsync("tuntap", "add", "dev", "tun7", "mode", "tun");
        AssertRefused(
            await _host.RunAsync("interface", "add", "--host-device", "tun7", "--ip", "10.98.0.2/24", pod),
            "Cannot add the interface 'tun7': it is a tun without Ethernet frames, and a guest's card carries nothing else");
        Assert.DoesNotContain("10.98.0.2", (await network.InPodAsync("addr")).Text, StringComparison.Ordinal);
        AssertRefused(
            await _host.RunAsync("route", "add", "--via", "192.168.4.4", pod, "10.96.0.0/16"),
            "Nexthop has invalid gateway: Network is unreachable");

        (await _host.RunAsync("route", "rm", pod, "10.95.0.0/16")).Ok();
        (await _host.RunAsync("interface", "rm", pod, "net1")).Ok();
        Assert.DoesNotContain("net1", await ShellAsync(pod, "ip link"), StringComparison.Ordinal);
        string left = (await network.InPodAsync("addr", "show", "net1")).Text; // it was not moved: it stays, off
        Assert.Contains("state DOWN", left, StringComparison.Ordinal);
        Assert.DoesNotContain("inet ", left, StringComparison.Ordinal);
        Assert.Contains(" 0% packet loss", await ShellAsync(pod, "ping -c 1 -W 5 10.77.0.1"), StringComparison.Ordinal);
        await DeleteAsync(pod);
    }

    [Fact]
    public async Task Change_ThatTheGuestRefuses_IsUndone()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string pod = await StartAsync(network);
        string before = await network.StateAsync();
        await AdministerAsync(pod, "ip link set eth0 down");

        CommandResult route = await _host.RunAsync("route", "add", "--via", "10.77.0.1", pod, "10.95.0.0/16");
        AssertRefused(route, "Cannot set up the network in the guest");
        Assert.Equal(before, await network.StateAsync());
        await AdministerAsync(pod, "ip link set eth0 up");
        Assert.DoesNotContain("10.95.", await ShellAsync(pod, "ip route"), StringComparison.Ordinal);
        Assert.Contains(" 0% packet loss", await ShellAsync(pod, "ping -c 1 -W 5 10.77.0.1"), StringComparison.Ordinal);
        await DeleteAsync(pod);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Kill_DuringAChange_LeavesTheNamespaceAsItWas(bool killsService)
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        await network.OnWireAsync("link", "add", "host1", "type", "veth", "peer", "name", "far1");
        string before = await network.StateAsync();
        string pod = await StartAsync(network);
        int machine = MachineOf(_host.ServicePid(pod));
        HostProcess.Signal(machine, Stop); // the guest cannot take the card
        using RunningCommand add = _host.Start("interface", "add", "--host-device", "host1", "--ip", "10.97.0.2/24", pod);
        while (!(await network.InPodAsync("addr")).Text.Contains("10.97.0.2", StringComparison.Ordinal))
        {
            Assert.False(add.HasExited);
        }

        HostProcess.Signal(killsService ? _host.ServicePid(pod) : machine, Kill);
        CommandResult result = await add.FinishAsync(default, RuntimeFixture.Limit);

        Assert.Equal(1, result.ExitCode);
        if (killsService)
        {
            Assert.Contains("the pod's service has ended unexpectedly", result.Error, StringComparison.Ordinal);
            await DeleteAsync(pod);
            await network.InPodAsync("link", "del", "host1"); // it stays where somebody has wanted it
        }
        else
        {
            Assert.Contains("host1", (await network.OnWireAsync("link")).Text, StringComparison.Ordinal);
            await DeleteAsync(pod);
        }

        Assert.Equal(before, await network.StateAsync());
        await _host.AssertCleanAsync();
    }

    [Fact]
    public async Task Pod_OfTheHostsNetwork_IsRefusedOrHasNoInterfacesToChange()
    {
        TestBundle refused = _host.NewBundle().Args("true");
        LeaveNetworkOut(refused);
        AssertRefused(await _host.RunAsync("run", "--bundle", refused.Write(), _host.NewId()), "asks for the host's network");
        TestBundle named = _host.NewBundle().Args("true");
        NetworkFixture.Network(named, "/proc/self/ns/net");
        AssertRefused(await _host.RunAsync("run", "--bundle", named.Write(), _host.NewId()), "it is the host's");
        await _host.AssertCleanAsync();

        await File.AppendAllTextAsync(
            _host.ConfigurationFile, "[runtime]\ndisable_new_netns = true\n", TestContext.Current.CancellationToken);
        string pod = await _host.StartSleeperAsync(LeaveNetworkOut);

        CommandResult add = await _host.RunAsync("interface", "add", "--host-device", "eth0", pod);

        AssertRefused(add, "Cannot add the interface 'eth0': its pod has no network namespace of its own");
        Assert.Contains("\"Name\":\"lo\"", (await _host.RunAsync("network", "list-ifaces", pod)).Ok().Text, StringComparison.Ordinal);
        await DeleteAsync(pod);
        CommandResult gone = await _host.RunAsync("network", "list-ifaces", pod);
        AssertRefused(gone, "Cannot list the interfaces of the container ");
        Assert.Contains("does not exist", gone.Error, StringComparison.Ordinal);
    }

    private static void LeaveNetworkOut(TestBundle bundle)
    {
        JsonArray spaces = bundle.Linux["namespaces"]!.AsArray();
        spaces.Remove(spaces.First(static space => space!["type"]!.GetValue<string>() == "network"));
    }

    private static void AssertRefused(CommandResult result, string reason)
    {
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(reason, result.Error, StringComparison.Ordinal);
    }

    private static int MachineOf(int service) => Directory.GetDirectories("/proc")
        .Select(static path => int.TryParse(Path.GetFileName(path), out int pid) ? pid : 0)
        .Single(pid => pid > 0 && Read($"/proc/{pid}/stat") is { } stat && stat.Contains("(qemu-system-x86)", StringComparison.Ordinal)
            && stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1] == service.ToString(CultureInfo.InvariantCulture));

    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return null; // it has ended
        }
    }

    private static string Line(string[] lines, string start) =>
        Assert.Single(lines, line => line.StartsWith(start, StringComparison.Ordinal));

    // A route that comes back by a command is of the administrator, whoever had made it before.
    private static string WithoutProtocol(string state) => string.Join(
        '\n', state.Split('\n').Select(static line => line.Replace(" proto static", "", StringComparison.Ordinal).Trim())
            .Order(StringComparer.Ordinal));

    private Task<CommandResult> NetworkAsync(string pod, string command, string document) =>
        _host.RunAsync(["network", command, pod, "-"], RuntimeFixture.Bytes(document), RuntimeFixture.Limit);

    private async Task<string> ShellAsync(string pod, string script) => (await _host.ExecShellAsync(pod, script)).Ok().Text;

    private async Task AdministerAsync(string pod, string script) =>
        (await _host.RunAsync("exec", "--cap", "CAP_NET_ADMIN", pod, "sh", "-c", script)).Ok();

    private async Task DeleteAsync(string pod) => (await _host.RunAsync("delete", "--force", pod)).Ok();

    // From the other namespace, as from a host's. Streams that outlive the command are files.
    private async Task<string> StartAsync(TestNetwork network, Action<TestBundle>? edit = null)
    {
        string id = _host.NewId();
        TestBundle bundle = _host.NewBundle().Args("sleep", "100000");
        bundle.Linux["namespaces"]!.AsArray()
            .First(static space => space!["type"]!.GetValue<string>() == "network")!["path"] = network.Path;
        foreach (string set in (string[])["bounding", "effective", "permitted"])
        {
            bundle.Process["capabilities"]![set]!.AsArray().Add((JsonNode)"CAP_NET_RAW");
        }

        edit?.Invoke(bundle);
        string errors = Path.Combine(_host.NewDirectory("errors"), "text");
        using RunningCommand run = network.StartOnWire(
        [
            "/bin/sh", "-c", "errors=$1; shift; exec \"$@\" </dev/null >/dev/null 2>\"$errors\"", "sh", errors,
            RuntimeFixture.RuntimePath!, .. _host.Globals("run", "--detach", "--bundle", bundle.Write(), id),
        ]);
        int code = await run.ExitAsync(RuntimeFixture.Limit);
        Assert.True(code == 0, await File.ReadAllTextAsync(errors, TestContext.Current.CancellationToken));
        return id;
    }
}
