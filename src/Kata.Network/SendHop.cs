using System.Globalization;
using Kata.Netlink;

namespace Kata.Network;

/// <summary>
/// A pair of links between a tap and its interface, by which what the guest sends goes where a rate is to be kept. The qdisc of the
/// interface itself is its owner's: a plugin or a user may have limits of their own there, or put them there later, and both hold.
/// </summary>
internal static class SendHop
{
    /// <summary>Makes it, in the place of one that a dead guest has left.</summary>
    /// <param name="space">The pod's namespace.</param>
    /// <param name="plan">The interface.</param>
    /// <param name="rate">In bytes a second.</param>
    /// <returns>The link that takes the guest's frames. They leave by the interface.</returns>
    /// <exception cref="NetlinkException">The kernel refused. Part of it may be there.</exception>
    public static int Make(NetworkNamespace space, EndpointPlan plan, ulong rate)
    {
        Remove(space, plan.LinkIndex);
        (string near, string far) = NamesOf(plan.LinkIndex);
        space.Netlink.Links.Add(new LinkSettings
        {
            Name = near,
            Mtu = plan.Mtu,
            Kind = new VethKind { Peer = new LinkSettings { Name = far, Mtu = plan.Mtu } },
        });
        Endpoint.Silence(space, near, far);
        int first = space.Netlink.Links.Get(near).Index;
        int last = space.Netlink.Links.Get(far).Index;
        RateLimit.Put(space.Netlink, first, rate);
        space.Netlink.Filters.Redirect(last, plan.LinkIndex);
        space.Netlink.Links.SetUp(last);
        space.Netlink.Links.SetUp(first);
        return first;
    }

    /// <summary>Gives both of its links the size of the interface. Does nothing where there is none.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public static void Resize(NetworkNamespace space, EndpointPlan plan)
    {
        foreach (Link link in LinksOf(space, plan.LinkIndex))
        {
            space.Netlink.Links.Change(link.Index, new LinkSettings { Mtu = plan.Mtu });
        }
    }

    /// <summary>Removes it, whether its interface is still there or not. Does nothing where there is none.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public static void Remove(NetworkNamespace space, int linkIndex)
    {
        if (LinksOf(space, linkIndex).FirstOrDefault() is { } either)
        {
            try
            {
                space.Netlink.Links.Delete(either.Index); // and the other with it
            }
            catch (NetlinkException error) when (error.Errno == NetlinkErrno.ENODEV)
            {
                // somebody else has
            }
        }
    }

    private static IEnumerable<Link> LinksOf(NetworkNamespace space, int linkIndex)
    {
        (string near, string far) = NamesOf(linkIndex);
        return space.Netlink.Links.List().Where(link => link.Kind is VethKind && (link.Name == near || link.Name == far));
    }

    // Even the largest number leaves a name of 15 bytes.
    private static (string Near, string Far) NamesOf(int linkIndex)
    {
        string number = linkIndex.ToString("x", CultureInfo.InvariantCulture);
        return ($"tx{number}{Tap.NameSuffix}", $"to{number}{Tap.NameSuffix}");
    }
}
