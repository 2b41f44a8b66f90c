using Kata.Netlink;

namespace Kata.Network;

/// <summary>Gives a pod an interface, or changes one that it has.</summary>
/// <param name="request">What is asked for.</param>
/// <param name="taken">The links that were brought into the namespace.</param>
/// <param name="isNew">
/// Whether it may be a link that the guest does not have yet: one of the namespace, or one of the host's that is brought there.
/// </param>
internal sealed class InterfaceChange(InterfaceRequest request, TakenLinks taken, bool isNew) : NetworkChange
{
    private LinkState? _before;
    private bool _taken;
    private int _index;

    public override string Action => $"{(isNew ? "add" : "change")} the interface '{request.Subject}'";

    public override int? Card => _index;

    public override void Do(NetworkNamespace space, IReadOnlyCollection<int> cards)
    {
        IReadOnlyList<Link> links = space.Netlink.Links.List();
        Link? link = request.Find(links);
        if (link is null && isNew)
        {
            RequireFree(space, links, new LinkState(request.Name, default, 0, true, false, 0, [], [], []), request, 0);
            _index = taken.Take(space, request, Action);
            _taken = true;
            link = space.Netlink.Links.Get(_index);
        }

        if (link is null || (!isNew && !cards.Contains(link.Index)))
        {
            string[] names = [.. links.Where(item => cards.Contains(item.Index)).Select(static item => $"'{item.Name}'")];
            string known = names.Length == 0 ? "none" : string.Join(", ", names);
            throw Cannot($"the guest has no such interface; it has {known}. Use 'add-iface' for a new one", NetworkError.NotFound);
        }

        if (link.Flags.HasFlag(LinkFlags.Loopback) || link.Name.EndsWith(Tap.NameSuffix, StringComparison.Ordinal))
        {
            throw Cannot("it is the loopback, or Kata's own. Name another one");
        }

        LinkState now = LinkState.Read(space.Netlink, link);
        LinkState wanted = request.Change(now);
        if (request.Removed.FirstOrDefault(prefix => !now.Addresses.Any(item => item.Local == prefix)) is { Length: > 0 } missing)
        {
            throw Cannot($"it does not have the address '{missing}'. See 'kata-runtime network list-ifaces'", NetworkError.NotFound);
        }

        RequireFree(space, links, wanted, request, link.Index);
        _index = link.Index;
        _before = now;
        wanted.Apply(space.Netlink, _index);
    }

    public override void Undo(NetworkNamespace space)
    {
        if (_taken)
        {
            taken.GiveBack(space, _index);
        }
        else if (_before is not null)
        {
            _before.Apply(space.Netlink, _index);
        }
    }

    // What the kernel would take, and nobody could use: it finds addresses and cards by these.
    private void RequireFree(NetworkNamespace space, IReadOnlyList<Link> links, LinkState wanted, InterfaceRequest asked, int index)
    {
        if (links.Any(link => link.Index != index && link.Name == wanted.Name))
        {
            throw Cannot($"the pod has an interface '{wanted.Name}' already. Choose another name", NetworkError.AlreadyExists);
        }

        if (asked.Address is { } address && links.FirstOrDefault(link => link.Index != index && link.Address == address) is { } same)
        {
            throw Cannot(
                $"the pod's interface '{same.Name}' has the hardware address '{address}' already. Choose another one",
                NetworkError.AlreadyExists);
        }

        IPPrefix[] prefixes = [.. (asked.Addresses ?? []).Concat(asked.Added)];
        foreach (InterfaceAddress other in space.Netlink.Addresses.List().Where(other => other.LinkIndex != index))
        {
            if (prefixes.Any(prefix => prefix.Address.Equals(other.Local.Address)))
            {
                string name = links.FirstOrDefault(link => link.Index == other.LinkIndex)?.Name ?? "";
                throw Cannot(
                    $"the pod's interface '{name}' has the address '{other.Local}' already. Choose another one",
                    NetworkError.AlreadyExists);
            }
        }
    }
}
