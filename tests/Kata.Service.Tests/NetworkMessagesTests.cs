using Kata.Agent.Protocol;
using Kata.Network;
using Kata.Oci;
using Kata.Sandbox.Protocol.V1;

namespace Kata.Service.Tests;

public sealed class NetworkMessagesTests
{
    [Fact]
    public void Interface_OfEverything_IsReadWhole()
    {
        InterfaceRequest request = NetworkMessages.Parse(
            new InterfaceSpec
            {
                Device = "host1",
                Name = "eth1",
                Addresses = new AddressSet { Addresses = { "10.0.0.2/24", "fd00::2/64" } },
                Mtu = 1400,
                HardwareAddress = "02:00:00:00:00:01",
                NoArp = false,
            },
            ["10.0.1.2/24"], ["10.0.2.2/24"]);

        Assert.Equal(
            "host1 eth1 1400 02:00:00:00:00:01 False",
            $"{request.Device} {request.Name} {request.Mtu} {request.Address} {request.NoArp}");
        Assert.Equal(["10.0.0.2/24", "fd00::2/64"], request.Addresses!.Select(static item => item.ToString()));
        Assert.Equal(("10.0.1.2/24", "10.0.2.2/24"), (request.Added.Single().ToString(), request.Removed.Single().ToString()));
    }

    [Fact]
    public void Interface_OfANameOnly_LeavesTheRestAsItIs()
    {
        InterfaceRequest request = NetworkMessages.Parse(new InterfaceSpec { Name = "eth1" }, [], []);
        Assert.Equal((null, null, null, 0u), (request.Addresses, request.Address, request.NoArp, request.Mtu));
        Assert.Empty(NetworkMessages.Parse(new InterfaceSpec { Name = "e", Addresses = new AddressSet() }, [], []).Addresses!);
    }

    [Theory]
    [InlineData("", "", "", "/device: no interface is named. Give its name or its hardware address")]
    [InlineData("a/b", "", "", "/name: 'a/b' is no name of an interface. Use up to 15 letters, digits, '.', '_' and '-'")]
    [InlineData("..", "", "", "'..' is no name")]
    [InlineData("a b", "", "", "'a b' is no name")]
    [InlineData("eth%d", "", "", "'eth%d' is no name")]
    [InlineData("abcdefghijklmnop", "", "", "'abcdefghijklmnop' is no name")]
    [InlineData("ééééééééx", "", "", "is no name")]
    [InlineData("e\0", "", "", "is no name")]
    [InlineData("tap9_kata", "", "", "names that end in '_kata' are Kata's own")]
    [InlineData("e", "10.0.0.2", "", "/addresses: '10.0.0.2' is no address with the length of its prefix. Write it like 10.0.0.2/24")]
    [InlineData("e", "10.0.0.2/33", "", "'10.0.0.2/33' is no address")]
    [InlineData("e", "x/24", "", "'x/24' is no address")]
    [InlineData("e", "0.0.0.0/24", "", "'0.0.0.0/24' is no address of an interface")]
    [InlineData("e", "10.0.0.2/0", "", "'10.0.0.2/0' is no address of an interface")]
    [InlineData("e", "ff02::1/64", "", "'ff02::1/64' is no address of an interface")]
    [InlineData("e", "", "02:00", "/hardware_address: '02:00' is no address of an Ethernet card. Write it like 02:00:00:00:00:01")]
    [InlineData("e", "", "01:00:00:00:00:01", "'01:00:00:00:00:01' is no address of one card")]
    [InlineData("e", "", "00:00:00:00:00:00", "'00:00:00:00:00:00' is no address of one card")]
    public void Interface_OfWhatMakesNoSense_NamesTheField(string name, string address, string hardware, string reason)
    {
        var spec = new InterfaceSpec { Name = name, HardwareAddress = hardware };
        if (address.Length > 0)
        {
            spec.Addresses = new AddressSet { Addresses = { address } };
        }

        InvalidSpecException error = Assert.Throws<InvalidSpecException>(() => NetworkMessages.Parse(spec, [], []));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Interface_OfTooSmallPackets_IsRefused() => Assert.Contains(
        "/mtu: packets of 67 bytes are too small. Give 68 or more",
        Assert.Throws<InvalidSpecException>(() => NetworkMessages.Parse(new InterfaceSpec { Name = "e", Mtu = 67 }, [], [])).Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("", "", "eth0", "", "/routes/0/destination: '' is no prefix. Write it like 10.1.0.0/16")]
    [InlineData("10.1.0.1/16", "", "eth0", "", "'10.1.0.1/16' has bits of a host. Leave them zero")]
    [InlineData("10.1.0.0/16", "", "", "", "/routes/0/device: neither a device nor a gateway is given. Give one of them")]
    [InlineData("10.1.0.0/16", "x", "", "", "/routes/0/gateway: 'x' is no address. Write it like 10.0.0.1")]
    [InlineData("10.1.0.0/16", "10.0.0.1/24", "", "", "'10.0.0.1/24' is no address")]
    [InlineData("10.1.0.0/16", "fd00::1", "", "", "the route to '10.1.0.0/16' has addresses of IPv4 and of IPv6")]
    [InlineData("fd01::/64", "fd00::1", "", "10.0.0.1", "the route to 'fd01::/64' has addresses of IPv4 and of IPv6")]
    [InlineData("10.1.0.0/16", "", "a/b", "", "/routes/0/device: 'a/b' is no name of an interface")]
    public void Route_OfWhatMakesNoSense_NamesTheField(string destination, string gateway, string device, string source, string reason)
    {
        var route = new NetworkRoute { Destination = destination, Gateway = gateway, Device = device, Source = source };
        InvalidSpecException error = Assert.Throws<InvalidSpecException>(() => NetworkMessages.Parse([route], "/routes"));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Route_ToBeRemoved_NeedsItsDestinationOnly()
    {
        RouteRequest route = Assert.Single(
            NetworkMessages.Parse([new NetworkRoute { Destination = "10.1.0.0/16" }], "/remove", complete: false));
        Assert.True(route.IsAnyGateway);
    }

    [Fact]
    public void Guest_WhatItHas_IsSaidAsItIsAskedFor()
    {
        NetworkInterface item = NetworkMessages.Of(new Interface
        {
            Name = "eth0",
            HwAddr = "02:00:00:00:00:01",
            Mtu = ulong.MaxValue, // a guest may say anything
            IPAddresses = { new Agent.Protocol.IPAddress { Address = "10.0.0.2", Mask = "24" } },
        });
        Assert.Equal((uint.MaxValue, "10.0.0.2/24"), (item.Mtu, item.Addresses.Single()));
        Assert.Equal("0.0.0.0/0", NetworkMessages.Of(new Agent.Protocol.Route { Device = "eth0" }).Destination);
        Assert.Equal("::/0", NetworkMessages.Of(new Agent.Protocol.Route { Family = Agent.Protocol.IPFamily.V6 }).Destination);
    }
}
