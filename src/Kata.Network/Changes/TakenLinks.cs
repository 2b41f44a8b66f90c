using Kata.Netlink;

namespace Kata.Network;

/// <summary>
/// The links that were brought into a pod's namespace from the host's, and what they were there. Only one that somebody asks to be removed
/// goes back: with the pod they stay where they are, as every other link of the namespace. One user at a time.
/// </summary>
/// <param name="openHost">Opens the namespace that they come from; the caller's to dispose of.</param>
internal sealed class TakenLinks(Func<NetworkNamespace> openHost)
{
    private readonly Dictionary<int, LinkState> _links = []; // by their number in the pod's namespace

    /// <summary>From the namespace of this process, which is that of the pod's first caller.</summary>
    public TakenLinks()
        : this(NetworkNamespace.OpenOwn)
    {
    }

    /// <summary>Whether a link was brought there.</summary>
    public bool Has(int index) => _links.ContainsKey(index);

    /// <summary>Brings a link into the pod's namespace, off and without addresses, under the name that it is to have there.</summary>
    /// <param name="space">The pod's.</param>
    /// <param name="request">Which one.</param>
    /// <param name="action">For errors.</param>
    /// <returns>Its number there.</returns>
    /// <exception cref="NetworkException">There is none, or the host needs it.</exception>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public int Take(NetworkNamespace space, InterfaceRequest request, string action)
    {
        using NetworkNamespace host = openHost();
        if (request.Find(host.Netlink.Links.List()) is not { } link)
        {
            throw new NetworkException(
                $"Cannot {action}: neither the pod's network namespace '{space.Path}' nor the host has a link '{request.Subject}'. "
                    + "Make it in one of them first, for example with 'ip link add'",
                NetworkError.NotFound);
        }

        LinkState state = LinkState.Read(host.Netlink, link);
        if (link.Flags.HasFlag(LinkFlags.Loopback))
        {
            throw new NetworkException($"Cannot {action}: it is the host's loopback. Name another one");
        }

        if (state.Routes.Any(static route => route.Destination.Length == 0))
        {
            throw new NetworkException(
                $"Cannot {action}: the host reaches the world by its link '{link.Name}'. "
                    + "Give the pod another one, for example a macvlan on it, or take that route away first");
        }

        string name = request.Name.Length > 0 ? request.Name : link.Name;
        int index = Move(host, space, link.Index, name);
        _links[index] = state;
        return index;
    }

    /// <summary>Takes a link back to where it was, as it was. Does nothing when it is gone.</summary>
    /// <exception cref="NetlinkException">The kernel refused: the name is taken there by now.</exception>
    public void GiveBack(NetworkNamespace space, int index)
    {
        LinkState state = _links[index];
        using NetworkNamespace host = openHost();
        try
        {
            int back = Move(space, host, index, state.Name);
            _links.Remove(index);
            bool hasController = host.Netlink.Links.List().Any(link => link.Index == state.Controller); // or it has gone meanwhile
            (hasController ? state : state with { Controller = 0 }).Apply(host.Netlink, back);
        }
        catch (NetlinkException error) when (error.Errno == NetlinkErrno.ENODEV)
        {
            _links.Remove(index);
        }
    }

    /// <summary>Forgets those that have gone by themselves: their numbers may be others' by now.</summary>
    public void Forget(IEnumerable<int> present)
    {
        foreach (int gone in _links.Keys.Except(present).ToArray())
        {
            _links.Remove(gone);
        }
    }

    private static int Move(NetworkNamespace from, NetworkNamespace to, int index, string name)
    {
        from.Netlink.Links.Change(index, new LinkSettings { NetworkNamespace = to.Handle, Name = name });
        return to.Netlink.Links.Get(name).Index;
    }
}
