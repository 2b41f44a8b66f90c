using Kata.Linux;
using Kata.Netlink;

namespace Kata.Network;

/// <summary>
/// A tap beside an interface of a pod's network namespace: what arrives at the one leaves by the other, in both directions. The
/// namespace's own stack sees none of it. Or a macvtap over the interface, where it sees what is sent to all.
/// </summary>
internal static class Endpoint
{
    /// <summary>Of the redirection on an interface whose qdisc was made for it. The last of all: other people's filters go first.</summary>
    private const ushort OwnQdiscPriority = 65535;

    /// <summary>Of one on a qdisc that was there, and stays.</summary>
    private const ushort FoundQdiscPriority = 65534;

    /// <summary>Makes the tap and connects it. What was made goes again when something fails.</summary>
    /// <param name="space">The pod's namespace.</param>
    /// <param name="plan">The interface.</param>
    /// <param name="queues">The tap's.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <returns>The tap, whose queues are the caller's.</returns>
    /// <exception cref="NetworkException">The kernel refused.</exception>
    public static Tap Attach(NetworkNamespace space, EndpointPlan plan, int queues, EndpointOptions? options = null)
    {
        options ??= EndpointOptions.Default;
        Tap? tap = null;
        try
        {
            string name = Tap.NameOf(plan.LinkIndex);
            tap = options.Model == EndpointModel.Macvtap ? Tap.MakeMacvtap(space, plan, queues) : Tap.Make(space, name, queues);
            Silence(space, name);
            Connect(space, plan, tap.Index, options);
            return tap;
        }
        catch (Exception error) when (error is NetlinkException or LinuxException or IOException)
        {
            if (tap is not null) // else what is there is another one's
            {
                tap.Dispose();
                Detach(space, plan.LinkIndex);
            }

            string action = $"Cannot give the interface '{plan.Name}' of '{space.Path}' to the guest";
            bool isTaken = error is LinuxException { Errno: Errno.EBUSY } or NetlinkException { Errno: NetlinkErrno.EEXIST };
            throw isTaken && tap is null
                ? new NetworkException(
                    $"{action}: the machine of another pod has it already. Give each pod a network namespace of its own")
                : new NetworkException(action, error);
        }
    }

    /// <summary>
    /// Takes the redirection away from an interface, and what keeps its rate; the tap goes with its descriptors. Does nothing for one that
    /// has none of ours; of one that is gone what is left goes.
    /// </summary>
    /// <exception cref="NetworkException">The kernel refused.</exception>
    public static void Detach(NetworkNamespace space, int linkIndex)
    {
        try
        {
            SendHop.Remove(space, linkIndex);
            Tap.RemoveMacvtap(space, linkIndex);
            Disconnect(space.Netlink, linkIndex);
        }
        catch (NetlinkException error)
        {
            throw new NetworkException($"Cannot take the interface {linkIndex} of '{space.Path}' back from the guest", error);
        }
    }

    /// <summary>Gives a tap, and what keeps its rate, the size of its interface.</summary>
    /// <exception cref="NetworkException">The kernel refused.</exception>
    public static void Resize(NetworkNamespace space, int tap, EndpointPlan plan)
    {
        try
        {
            space.Netlink.Links.Change(tap, new LinkSettings { Mtu = plan.Mtu });
            SendHop.Resize(space, plan);
        }
        catch (NetlinkException error)
        {
            throw new NetworkException($"Cannot give the interface '{plan.Name}' of '{space.Path}' an MTU of {plan.Mtu}", error);
        }
    }

    /// <summary>Has the namespace's own stack say nothing on links of ours: it would greet the guest, or the network.</summary>
    internal static void Silence(NetworkNamespace space, params IReadOnlyList<string> links) => space.Run(() =>
    {
        foreach (string link in links)
        {
            try
            {
                File.WriteAllText($"/proc/sys/net/ipv6/conf/{link}/disable_ipv6", "1");
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // There is no IPv6, or these settings are read-only here: then a router solicitation is heard.
            }
        }

        return true;
    });

    // To a tap of ours, or to one that is gone: the kernel then forgets where the packets went. Or past it.
    private static bool IsOurs(NetlinkSocket netlink, TrafficFilter filter) =>
        AnswerFilters.Are(filter)
        || filter.Actions.OfType<MirredAction>().Any(action => action.TargetIndex == 0 || IsTap(netlink, action.TargetIndex));

    private static bool IsTap(NetlinkSocket netlink, int link) => netlink.Links.List().Any(
        item => item.Index == link && item.Name.EndsWith(Tap.NameSuffix, StringComparison.Ordinal));

    private static void Connect(NetworkNamespace space, EndpointPlan plan, int tap, EndpointOptions options)
    {
        NetlinkSocket netlink = space.Netlink;
        // By a macvtap the guest sends; by a tap it receives.
        if ((options.Model == EndpointModel.Macvtap ? options.SendRate : options.ReceiveRate) is { } own)
        {
            RateLimit.Put(netlink, tap, own);
        }

        if (options.Model == EndpointModel.Macvtap)
        {
            // The guest's groups are not known. While it is up, this would be the interface's setting, too, and stay there.
            netlink.Links.Change(tap, new LinkSettings { SetFlags = LinkFlags.AllMulticast });
        }

        netlink.Links.Change(tap, new LinkSettings { Mtu = plan.Mtu, SetFlags = LinkFlags.Up });
        if (options.Model == EndpointModel.TcFilter)
        {
            int way = options.SendRate is { } send ? SendHop.Make(space, plan, send) : plan.LinkIndex;
            Disconnect(netlink, plan.LinkIndex); // of one that was killed; the tap's name has been free
            netlink.Filters.Redirect(
                plan.LinkIndex, tap, netlink.Qdiscs.AddIngress(plan.LinkIndex) ? OwnQdiscPriority : FoundQdiscPriority);
            netlink.Filters.Redirect(tap, way);
        }
    }

    // The qdisc is somebody else's where a filter of theirs is left, too.
    private static void Disconnect(NetlinkSocket netlink, int linkIndex)
    {
        try
        {
            IReadOnlyList<TrafficFilter> filters = netlink.Filters.List(linkIndex, TcHandle.IngressFilters);
            TrafficFilter[] ours = [.. filters.Where(filter => IsOurs(netlink, filter))];
            foreach (TrafficFilter filter in ours.DistinctBy(static filter => filter.Priority))
            {
                netlink.Filters.Delete(filter with { Handle = 0 }); // with its tables, of u32
            }

            if (ours.Any(static filter => filter.Priority == OwnQdiscPriority)
                && netlink.Filters.List(linkIndex, TcHandle.IngressFilters).Count == 0)
            {
                foreach (Qdisc qdisc in netlink.Qdiscs.List(linkIndex).Where(static qdisc => qdisc.Kind == PlainQdisc.Ingress))
                {
                    netlink.Qdiscs.Delete(qdisc);
                }
            }
        }
        catch (NetlinkException error) when (error.Errno is NetlinkErrno.ENODEV or NetlinkErrno.EINVAL or NetlinkErrno.ENOENT)
        {
            // The link is gone, and everything with it; or it has no qdisc at all.
        }
    }
}
