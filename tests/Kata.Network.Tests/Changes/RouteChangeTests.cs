using System.Net;
using Kata.Netlink;

namespace Kata.Network.Tests;

/// <summary>What people ask of routes, in a namespace of the kernel's.</summary>
[Collection(nameof(ProcessGroup))]
public sealed class RouteChangeTests : IDisposable
{
    private readonly Pod _pod = new();

    public void Dispose() => _pod.Dispose();

    [Fact]
    public void All_ReplacesWhatThereIs_AndIsUndone()
    {
        _pod.Network.Run(
            $"ip route add default via {Pod.PeerAddress} metric 50; ip route add 10.1.0.0/16 via 10.0.0.7; "
            + "ip route add 10.2.0.0/16 dev eth0");
        string before = Routes();
        var change = new RouteChange(
            [
                Route("0.0.0.0/0", "10.0.0.9"), // another gateway
                Route("10.2.0.0/16", null, "eth0"), // as it is
                Route("10.3.0.0/16", "10.2.0.1"), // reached by the one before
                Route("10.0.0.0/24", null, "eth0"), // the kernel's own
            ],
            [], []);

        change.Do(_pod.Space, [_pod.Plan.LinkIndex]);

        Assert.Equal(
            [
                "10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.2", "10.2.0.0/16 dev eth0 scope link",
                "10.3.0.0/16 via 10.2.0.1 dev eth0 proto static", "default via 10.0.0.9 dev eth0 proto static metric 50",
            ],
            Routes().Split('\n'));
        change.Undo(_pod.Space);
        Assert.Equal(before, Routes());
    }

    [Fact]
    public void AddAndRemove_ChangeTheseOnly()
    {
        _pod.Network.Run($"ip route add default via {Pod.PeerAddress}; ip route add 10.1.0.0/16 via 10.0.0.7");
        string before = Routes();
        var change = new RouteChange(
            null, [Route("10.4.0.0/16", "10.0.0.7", "eth0")],
            [new RouteRequest { Destination = IPPrefix.Parse("10.1.0.0/16"), IsAnyGateway = true }]);

        change.Do(_pod.Space, [_pod.Plan.LinkIndex]);

        Assert.Contains("10.4.0.0/16 via 10.0.0.7 dev eth0", Routes(), StringComparison.Ordinal);
        Assert.DoesNotContain("10.1.0.0/16", Routes(), StringComparison.Ordinal);
        Assert.Contains("default via", Routes(), StringComparison.Ordinal);
        change.Undo(_pod.Space);
        Assert.Equal(before, Routes());
    }

    [Fact]
    public void All_WithAGatewayThatCannotBeReached_IsUndone()
    {
        _pod.Network.Run($"ip route add default via {Pod.PeerAddress}");
        string before = Routes();
        var change = new RouteChange([Route("10.5.0.0/16", null, "eth0"), Route("10.1.0.0/16", "192.168.77.1")], [], []);

        NetlinkException error = Assert.Throws<NetlinkException>(() => change.Do(_pod.Space, [_pod.Plan.LinkIndex]));
        change.Undo(_pod.Space);

        Assert.Equal(NetlinkErrno.ENETUNREACH, error.Errno);
        Assert.Equal(before, Routes());
    }

    [Fact]
    public void Route_OnALinkThatTheGuestDoesNotHave_IsRefused()
    {
        _pod.Network.AddPair("net1", "far1");
        string before = Routes();
        var change = new RouteChange(null, [Route("10.5.0.0/16", null, "net1")], []);

        NetworkException error = Assert.Throws<NetworkException>(() => change.Do(_pod.Space, [_pod.Plan.LinkIndex]));
        change.Undo(_pod.Space);

        Assert.Contains("is on the interface 'net1', which the guest does not have", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, Routes());
    }

    [Fact]
    public void Names_OfWhatIsNotThere_AreNotFound()
    {
        var device = new RouteChange(null, [Route("10.5.0.0/16", null, "eth7")], []);
        var route = new RouteChange(null, [], [Route("10.5.0.0/16", null)]);

        NetworkException noDevice = Assert.Throws<NetworkException>(() => device.Do(_pod.Space, [_pod.Plan.LinkIndex]));
        NetworkException noRoute = Assert.Throws<NetworkException>(() => route.Do(_pod.Space, [_pod.Plan.LinkIndex]));

        Assert.Equal((NetworkError.NotFound, NetworkError.NotFound), (noDevice.Error, noRoute.Error));
        Assert.Contains("the pod has no interface 'eth7'", noDevice.Message, StringComparison.Ordinal);
        Assert.Contains("there is no route '10.5.0.0/16'", noRoute.Message, StringComparison.Ordinal);
    }

    private static RouteRequest Route(string destination, string? gateway, string device = "") => new()
    {
        Destination = IPPrefix.Parse(destination),
        Gateway = gateway is null ? null : IPAddress.Parse(gateway),
        Device = device,
    };

    private string Routes() => string.Join(
        '\n', _pod.Network.Run("ip route").Split('\n').Select(static line => line.Trim()).Where(static line => line.Length > 0)
            .Order(StringComparer.Ordinal));
}
