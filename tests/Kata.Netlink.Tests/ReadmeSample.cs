using System.Net;
using System.Runtime.InteropServices;

namespace Kata.Netlink.Tests;

internal static class Sample
{
    // A pair of links, one end of which is in the network namespace of a container and has an address and a default route.
    public static void Connect(NetlinkSocket host, NetlinkSocket container, SafeHandle containerNamespace)
    {
        host.Links.Add(new LinkSettings
        {
            Name = "container0",
            SetFlags = LinkFlags.Up,
            Kind = new VethKind { Peer = new LinkSettings { Name = "eth0", NetworkNamespace = containerNamespace } },
        });

        int eth0 = container.Links.Get("eth0").Index;
        NetlinkBatch batch = container.CreateBatch();
        batch.Links.SetUp(eth0);
        batch.Addresses.Add(new InterfaceAddress { LinkIndex = eth0, Local = IPPrefix.Parse("10.0.0.2/24") });
        batch.Routes.Add(new Route { Destination = IPPrefix.AnyIPv4, Gateway = IPAddress.Parse("10.0.0.1") });
        batch.Send();
    }

    // Until one of the links has no carrier any more.
    public static async Task<Link> WaitForLossAsync(RouteMonitor monitor, NetlinkSocket host, CancellationToken cancellationToken)
    {
        await foreach (RouteEvent item in monitor.ReadAllAsync(cancellationToken))
        {
            switch (item)
            {
                case LinkEvent { Link: { HasCarrier: false } link }:
                    return link;
                case OverrunEvent when host.Links.List().FirstOrDefault(static link => link.HasCarrier == false) is { } lost:
                    return lost; // events were lost: the list says how things are
            }
        }

        throw new OperationCanceledException(cancellationToken);
    }
}
