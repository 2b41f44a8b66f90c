using Kata.Netlink;

namespace Kata.Network;

/// <summary>
/// Takes an interface from a guest. A link that was brought into the namespace goes back to where it was; another one stays, off and
/// without addresses.
/// </summary>
/// <param name="request">Which one: its name, its hardware address, or both.</param>
/// <param name="taken">The links that were brought into the namespace.</param>
internal sealed class InterfaceRemoval(InterfaceRequest request, TakenLinks taken) : NetworkChange
{
    private LinkState? _before;
    private int _index;

    public override string Action => $"remove the interface '{request.Subject}'";

    public override void Do(NetworkNamespace space, IReadOnlyCollection<int> cards)
    {
        IReadOnlyList<Link> links = space.Netlink.Links.List();
        if (request.Find(links) is not { } link || !cards.Contains(link.Index)
            || (request.Address is { } address && address != link.Address))
        {
            string[] names = [.. links.Where(item => cards.Contains(item.Index)).Select(static item => $"'{item.Name}' ({item.Address})")];
            throw Cannot(
                $"the guest has no such interface; it has {(names.Length == 0 ? "none" : string.Join(", ", names))}. Name one of these",
                NetworkError.NotFound);
        }

        _index = link.Index;
        _before = LinkState.Read(space.Netlink, link);
        LinkState off = _before with { IsUp = false, Addresses = [], Routes = [], Neighbours = [] };
        off.Apply(space.Netlink, _index);
    }

    public override void Finish(NetworkNamespace space)
    {
        if (taken.Has(_index))
        {
            taken.GiveBack(space, _index);
        }
    }

    public override void Undo(NetworkNamespace space)
    {
        try
        {
            _before?.Apply(space.Netlink, _index);
        }
        catch (NetlinkException error) when (error.Errno == NetlinkErrno.ENODEV)
        {
            // It is gone.
        }
    }
}
