using System.Globalization;
using System.Net;
using System.Text;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Netlink;
using Kata.Network;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>From the text of a directly attachable network to what the machine and the guest are to have. Pure.</summary>
internal static class DirectNetworkParser
{
    private const int MaxSocketPathBytes = 107; // sun_path of struct sockaddr_un without its NUL
    private const int HardwareAddressBytes = 6;
    private const ushort Ethernet = 1; // ARPHRD_ETHER, linux/if_arp.h
    private const int LoopbackIndex = 1;
    private const uint DefaultMtu = 1500;
    private const int LinkLocalLength = 64;

    /// <param name="utf8">What the file holds.</param>
    /// <param name="path">The file's.</param>
    /// <exception cref="InvalidSpecException">It cannot be; the text names the field.</exception>
    public static DirectNetwork Parse(ReadOnlySpan<byte> utf8, string path)
    {
        DirectNetworkDocument document = OciJson.Parse(utf8, SandboxJsonContext.Default.DirectNetworkDocument);
        string? space = string.IsNullOrEmpty(document.Namespace) ? null : AbsolutePath(document.Namespace, "/netns");
        var cards = new List<DirectCard>();
        List<Link> links =
            [new Link { Index = LoopbackIndex, Name = "lo", Flags = LinkFlags.Up | LinkFlags.Loopback, HardwareType = 772, Mtu = 65536 }];
        List<InterfaceAddress> addresses = [];
        List<Route> routes = [];
        List<Neighbour> neighbours = [];
        for (int at = 0; at < document.Devices.Count; at++)
        {
            DirectNetworkDocument.Device device = document.Devices[at];
            string field = Item("/devices", at), info = $"{field}/network_info";
            int index = LoopbackIndex + 1 + at;
            EndpointPlan plan = PlanOf(device, index, field, path);
            Require(
                !links.Any(link => link.Name == plan.Name), $"{field}/name", $"{SpecText.Quote(plan.Name)} is another one's name, too",
                "Give each device a name of its own");
            Require(
                !links.Any(link => link.Address == plan.Address), $"{field}/guest_mac", $"'{plan.Address}' is another one's address, too",
                "Give each device an address of its own, or none");
            cards.Add(new DirectCard(plan, BackendOf(device.Backend, $"{field}/device")));
            bool noArp = ((LinkFlags)(device.Info.Interface.Flags ?? 0)).HasFlag(LinkFlags.NoArp);
            links.Add(new Link
            {
                Index = index,
                Name = plan.Name,
                Address = plan.Address,
                Mtu = plan.Mtu,
                HardwareType = Ethernet,
                Flags = LinkFlags.Up | LinkFlags.Broadcast | LinkFlags.Multicast | (noArp ? LinkFlags.NoArp : LinkFlags.None),
            });
            addresses.AddRange(device.Info.Interface.Addresses
                .Select((text, number) => PrefixOf(text, Item($"{info}/interface/ip_addresses", number)))
                .Where(static prefix => !IPAddress.IsLoopback(prefix.Address)) // the guest has these anyway
                .Select(prefix => new InterfaceAddress { LinkIndex = index, Local = prefix }));
            // What a kernel makes for every interface.
            addresses.Add(new InterfaceAddress
            {
                LinkIndex = index,
                Local = new IPPrefix(NetworkState.LinkLocalOf(plan.Address), LinkLocalLength),
                Scope = RouteScope.Link,
            });
            routes.AddRange((device.Info.Routes ?? []).Select((route, number) => RouteOf(route, index, Item($"{info}/routes", number))));
            neighbours.AddRange(
                (device.Info.Neighbours ?? []).Select((item, number) => NeighbourOf(item, index, Item($"{info}/neighbors", number))));
        }

        return new DirectNetwork(
            path, space, cards, new HostNetwork(links, [.. addresses.DistinctBy(static item => (item.LinkIndex, item.Local.Address))],
            routes, neighbours, []));
    }

    private static EndpointPlan PlanOf(DirectNetworkDocument.Device device, int index, string field, string path)
    {
        RequireName(device.Name, $"{field}/name");
        ulong mtu = device.Info.Interface.Mtu ?? DefaultMtu;
        Require(
            mtu is >= NetworkRules.MinMtu and <= Tap.MaxMtu, $"{field}/network_info/interface/mtu", $"holds the number {mtu}",
            $"It must be a whole number from {NetworkRules.MinMtu} to {Tap.MaxMtu}");
        LinkAddress address = string.IsNullOrEmpty(device.Address)
            ? AddressFor(path, device.Name) : HardwareOf(device.Address, $"{field}/guest_mac");
        return new EndpointPlan(index, device.Name, address, (uint)mtu);
    }

    private static DirectBackend BackendOf(DirectNetworkDocument.Backend backend, string field)
    {
        uint queues = backend.Queues is null or 0 ? 1 : backend.Queues.Value;
        Require(
            queues <= NetworkDevice.MaxQueues, $"{field}/queue_num", $"holds the number {queues}",
            $"It must be a whole number up to {NetworkDevice.MaxQueues}");
        uint size = backend.QueueSize is null or 0 ? VhostUserNetworkDevice.MinQueueSize : backend.QueueSize.Value;
        Require(
            size <= VhostUserNetworkDevice.MaxQueueSize && uint.IsPow2(size), $"{field}/queue_size", $"holds the number {size}",
            $"It must be a power of two up to {VhostUserNetworkDevice.MaxQueueSize}");
        int places = Math.Max((int)size, VhostUserNetworkDevice.MinQueueSize); // a larger queue serves, and there is no smaller one
        switch (backend.Type)
        {
            case "vhost-user":
                string path = AbsolutePath(backend.Path ?? "", $"{field}/path");
                int bytes = Encoding.UTF8.GetByteCount(path);
                Require(
                    bytes <= MaxSocketPathBytes, $"{field}/path", $"is {bytes} bytes long",
                    $"A socket's path may have {MaxSocketPathBytes} bytes");
                return new VhostUserBackend(path, (int)queues, places);
            case "host-tap":
                RequireName(backend.TapName ?? "", $"{field}/tap_name");
                return new TapBackend(backend.TapName!, (int)queues, places);
            default:
                throw new InvalidSpecException(
                    $"{field}/type", $"holds the string {SpecText.Quote(backend.Type)}", "It must be 'vhost-user' or 'host-tap'");
        }
    }

    private static Route RouteOf(DirectNetworkDocument.Route route, int link, string field)
    {
        IPAddress? gateway = HostOf(route.Gateway, $"{field}/gateway");
        IPAddress? source = HostOf(route.Source, $"{field}/source");
        IPPrefix destination;
        if (string.IsNullOrEmpty(route.Destination))
        {
            destination = (gateway ?? source) is { } other
                ? IPPrefix.OfHost(other).Family == IPFamily.IPv6 ? IPPrefix.AnyIPv6 : IPPrefix.AnyIPv4
                : throw new InvalidSpecException(
                    field, "has neither 'dest' nor 'gateway' nor 'source'", "Give 'gateway' for a default route, else 'dest'");
        }
        else
        {
            Require(
                IPPrefix.TryParse(route.Destination, out destination), $"{field}/dest",
                $"holds the string {SpecText.Quote(route.Destination)}", "It must be a prefix like 10.1.0.0/16, or empty");
        }

        Require(NetworkRules.IsNetwork(destination), $"{field}/dest", $"'{destination}' has bits of a host", "Leave them zero");
        Require(
            new[] { gateway, source }.All(address => address is null || IPPrefix.OfHost(address).Family == destination.Family),
            field, $"the route to '{destination}' has addresses of IPv4 and of IPv6", "Use one of them");
        uint scope = route.Scope ?? 0;
        Require(scope <= byte.MaxValue, $"{field}/scope", $"holds the number {scope}", "It must be a whole number up to 255");
        return new Route
        {
            Destination = destination,
            LinkIndex = link,
            Gateway = gateway,
            PreferredSource = source,
            Scope = scope == 0 || destination.Family == IPFamily.IPv6 ? null : (RouteScope)scope, // IPv6 knows none
            Protocol = RouteProtocol.Static,
            Flags = (RouteFlags)(route.Flags ?? 0) & RouteFlags.Onlink,
            Metrics = route.Mtu is > 0 and { } mtu ? new RouteMetrics { Mtu = mtu } : null,
        };
    }

    // Whatever state the file names: one that the guest would find out by itself need not be told.
    private static Neighbour NeighbourOf(DirectNetworkDocument.Neighbour neighbour, int link, string field)
    {
        Require(
            IPPrefix.TryParse(neighbour.Address, out IPPrefix address), $"{field}/ip_address",
            $"holds the string {SpecText.Quote(neighbour.Address ?? "")}", "It must be an address like 10.0.0.1");
        uint flags = neighbour.Flags ?? 0;
        Require(flags <= byte.MaxValue, $"{field}/flags", $"holds the number {flags}", "It must be a whole number up to 255");
        return new Neighbour
        {
            LinkIndex = link,
            Address = address.Address,
            LinkAddress = HardwareOf(neighbour.HardwareAddress ?? "", $"{field}/hardware_addr"),
            State = NeighbourState.Permanent,
            Flags = (NeighbourFlags)flags & NeighbourFlags.Router,
        };
    }

    private static IPPrefix PrefixOf(string text, string field)
    {
        Require(
            text.Contains('/', StringComparison.Ordinal) & IPPrefix.TryParse(text, out IPPrefix prefix)
            && NetworkRules.IsOfInterface(prefix),
            field, $"holds the string {SpecText.Quote(text)}", "It must be an address with the length of its prefix, like 10.0.0.2/24");
        return prefix;
    }

    private static IPAddress? HostOf(string? text, string field)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        Require(
            IPAddress.TryParse(text, out IPAddress? address) && IPPrefix.TryParse(text, out _), field,
            $"holds the string {SpecText.Quote(text)}", "It must be an address like 10.0.0.1, or empty");
        return address;
    }

    private static LinkAddress HardwareOf(string text, string field)
    {
        Require(
            LinkAddress.TryParse(text, out LinkAddress address) && NetworkRules.IsEthernet(address) && NetworkRules.IsOfOneCard(address),
            field, $"holds the string {SpecText.Quote(text)}",
            "It must be the address of one Ethernet card, whose first byte is even, like 02:00:00:00:00:01");
        return address;
    }

    // Whoever plans the pod again has the same.
    private static LinkAddress AddressFor(string path, string name)
    {
        byte[] bytes = Sha256.Hash(Encoding.UTF8.GetBytes($"{path} {name}"))[..HardwareAddressBytes];
        bytes[0] = (byte)((bytes[0] & 0xfc) | 2); // locally administered, of one card
        return new LinkAddress(bytes);
    }

    private static string AbsolutePath(string path, string field)
    {
        Require(
            path.StartsWith('/') && !path.EndsWith('/') && !path.Contains('\0', StringComparison.Ordinal), field,
            $"holds the string {SpecText.Quote(path)}", "It must be an absolute path");
        return path;
    }

    private static void RequireName(string name, string field) => Require(
        NetworkRules.IsName(name) && name != "lo", field, $"holds the string {SpecText.Quote(name)}",
        $"It must be an interface's name: up to {NetworkRules.MaxNameBytes} letters, digits, '.', '_' and '-'");

    private static string Item(string field, int at) => string.Create(CultureInfo.InvariantCulture, $"{field}/{at}");

    private static void Require(bool valid, string field, string cause, string remedy)
    {
        if (!valid)
        {
            throw new InvalidSpecException(field, cause, remedy);
        }
    }
}
