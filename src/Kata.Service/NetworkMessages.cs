using Kata.Agent.Protocol;
using Kata.Linux;
using Kata.Netlink;
using Kata.Network;
using Kata.Oci;
using Kata.Sandbox.Protocol.V1;
using IPAddress = System.Net.IPAddress;

namespace Kata.Service;

/// <summary>Interfaces and routes between <c>kata.sandbox.v1</c>, what the host changes, and what the guest says.</summary>
internal static class NetworkMessages
{
    /// <summary>Reads what is asked of an interface.</summary>
    /// <exception cref="InvalidSpecException">A field is wrong; the text says which.</exception>
    public static InterfaceRequest Parse(InterfaceSpec spec, IEnumerable<string> add, IEnumerable<string> remove)
    {
        Require(
            spec.Device.Length + spec.Name.Length + spec.HardwareAddress.Length > 0, "/device", "no interface is named",
            "Give its name or its hardware address");
        RequireName(spec.Device, "/device");
        RequireName(spec.Name, "/name");
        Require(
            !spec.Name.EndsWith(Tap.NameSuffix, StringComparison.Ordinal), "/name", $"names that end in '{Tap.NameSuffix}' are Kata's own",
            "Choose another one");
        Require(
            spec.Mtu == 0 || spec.Mtu >= NetworkRules.MinMtu, "/mtu", $"packets of {spec.Mtu} bytes are too small",
            $"Give {NetworkRules.MinMtu} or more, or leave it out");
        return new InterfaceRequest
        {
            Device = spec.Device,
            Name = spec.Name,
            Addresses = spec.Addresses is { } all ? [.. all.Addresses.Select(ParseAddress)] : null,
            Added = [.. add.Select(ParseAddress)],
            Removed = [.. remove.Select(ParseAddress)],
            Mtu = spec.Mtu,
            Address = spec.HardwareAddress.Length == 0 ? null : ParseHardware(spec.HardwareAddress),
            NoArp = spec.HasNoArp ? spec.NoArp : null,
        };
    }

    /// <summary>Reads routes.</summary>
    /// <param name="routes">As they came.</param>
    /// <param name="field">What they are called, for errors.</param>
    /// <param name="complete">Whether each is to be made, and so has to say where it goes.</param>
    /// <exception cref="InvalidSpecException">A field is wrong; the text says which.</exception>
    public static IReadOnlyList<RouteRequest> Parse(IEnumerable<NetworkRoute> routes, string field, bool complete = true) =>
        [.. routes.Select((route, at) => Parse(route, FormattableString.Invariant($"{field}/{at}"), complete))];

    public static NetworkInterface Of(Interface item) => new()
    {
        Name = item.Name,
        Addresses = { item.IPAddresses.Select(static address => $"{address.Address}/{address.Mask}") },
        Mtu = (uint)Math.Min(item.Mtu, uint.MaxValue),
        HardwareAddress = item.HwAddr,
        Flags = item.RawFlags,
        Type = item.Type,
    };

    public static NetworkRoute Of(Agent.Protocol.Route route) => new()
    {
        Destination = route.Dest.Length > 0 ? route.Dest : route.Family == Agent.Protocol.IPFamily.V6 ? "::/0" : "0.0.0.0/0",
        Gateway = route.Gateway,
        Device = route.Device,
        Source = route.Source,
        Scope = route.Scope,
        Flags = route.Flags,
        Mtu = route.Mtu,
    };

    private static RouteRequest Parse(NetworkRoute route, string field, bool complete)
    {
        Require(
            IPPrefix.TryParse(route.Destination, out IPPrefix destination), $"{field}/destination",
            $"'{PrintableText.Escape(route.Destination)}' is no prefix", "Write it like 10.1.0.0/16");
        Require(NetworkRules.IsNetwork(destination), $"{field}/destination", $"'{destination}' has bits of a host", "Leave them zero");
        RequireName(route.Device, $"{field}/device");
        Require(
            !complete || route.Device.Length + route.Gateway.Length > 0, $"{field}/device", "neither a device nor a gateway is given",
            "Give one of them");
        Require(route.Scope <= byte.MaxValue, $"{field}/scope", $"{route.Scope} is no scope", "Leave it out");
        IPAddress? gateway = ParseHost(route.Gateway, $"{field}/gateway");
        IPAddress? source = ParseHost(route.Source, $"{field}/source");
        Require(
            (gateway is null || IPPrefix.OfHost(gateway).Family == destination.Family)
            && (source is null || IPPrefix.OfHost(source).Family == destination.Family),
            field, $"the route to '{destination}' has addresses of IPv4 and of IPv6", "Use one of them");
        return new RouteRequest
        {
            Destination = destination,
            Gateway = gateway,
            IsAnyGateway = gateway is null && !complete,
            Device = route.Device,
            Source = source,
            Scope = route.Scope == 0 ? null : (RouteScope)route.Scope,
            Onlink = ((RouteFlags)route.Flags).HasFlag(RouteFlags.Onlink),
            Mtu = route.Mtu,
        };
    }

    private static IPPrefix ParseAddress(string text)
    {
        Require(
            text.Contains('/', StringComparison.Ordinal) & IPPrefix.TryParse(text, out IPPrefix prefix), "/addresses",
            $"'{PrintableText.Escape(text)}' is no address with the length of its prefix", "Write it like 10.0.0.2/24");
        Require(
            NetworkRules.IsOfInterface(prefix), "/addresses",
            $"'{prefix}' is no address of an interface", "Write one like 10.0.0.2/24");
        return prefix;
    }

    private static LinkAddress ParseHardware(string text)
    {
        Require(
            LinkAddress.TryParse(text, out LinkAddress address) && NetworkRules.IsEthernet(address), "/hardware_address",
            $"'{PrintableText.Escape(text)}' is no address of an Ethernet card", "Write it like 02:00:00:00:00:01");
        Require(
            NetworkRules.IsOfOneCard(address), "/hardware_address",
            $"'{address}' is no address of one card", "Give one whose first byte is even, like 02:00:00:00:00:01");
        return address;
    }

    private static IPAddress? ParseHost(string text, string field)
    {
        if (text.Length == 0)
        {
            return null;
        }

        Require(
            IPAddress.TryParse(text, out IPAddress? address) && IPPrefix.TryParse(text, out _), field,
            $"'{PrintableText.Escape(text)}' is no address", "Write it like 10.0.0.1");
        return address;
    }

    private static void RequireName(string name, string field) => Require(
        name.Length == 0 || NetworkRules.IsName(name), field, $"'{PrintableText.Escape(name)}' is no name of an interface",
        $"Use up to {NetworkRules.MaxNameBytes} letters, digits, '.', '_' and '-'");

    private static void Require(bool valid, string field, string what, string fix)
    {
        if (!valid)
        {
            throw new InvalidSpecException(field, what, fix);
        }
    }
}
