using Kata.Hypervisor;
using Kata.Linux;
using Kata.Netlink;
using Kata.Network;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// Which interfaces of a pod's network namespace its guest has as cards of the host, and how each is taken. One caller at a time.
/// </summary>
internal sealed class PodHostCards(SandboxPlan plan, SandboxEnvironment environment)
{
    /// <summary>Numbers of links that are gone begin here: kernels count from 1.</summary>
    private const int FirstGone = 0x7000_0000;

    private readonly PciBus _bus = new();
    private readonly HashSet<PciAddress> _failed = []; // that could not be taken, and are not tried again
    private readonly bool _possible = plan.Interfaces is { Model: not EndpointModel.None, SendRate: null, ReceiveRate: null }
        && environment.Hypervisor.CapabilitiesOf(plan.Machine).Cold.HasFlag(DeviceKinds.Host);

    /// <summary>The devices of interfaces that the guest is to have itself, by their links' numbers.</summary>
    /// <param name="network">The namespace, with what is gone.</param>
    /// <param name="present">What the guest has.</param>
    /// <param name="warnings">Why not, where one would expect it.</param>
    public IReadOnlyDictionary<int, PciAddress> Find(
        HostNetwork network, IReadOnlyCollection<PodInterface> present, ICollection<string> warnings)
    {
        var found = new Dictionary<int, PciAddress>();
        foreach (Link link in network.Links)
        {
            if (present.FirstOrDefault(item => item.Plan.LinkIndex == link.Index) is { } there)
            {
                if (there.Plan.Device is { } has)
                {
                    found[link.Index] = has;
                }
            }
            else if (_possible && link.Kind is null && HostCards.Find(_bus, link, out string? warning) is var device)
            {
                if (device is not null)
                {
                    found[link.Index] = device;
                }
                else if (warning is not null)
                {
                    warnings.Add(warning);
                }
            }
        }

        return found;
    }

    /// <summary>Whether it is to be tried, as what is no card of the host always is.</summary>
    public bool MayTry(PciAddress? device) => device is null || !_failed.Contains(device);

    /// <summary>Does not try it again, before <see cref="Retry"/>.</summary>
    public void GiveUp(PciAddress device) => _failed.Add(device);

    /// <summary>Tries all again.</summary>
    public void Retry() => _failed.Clear();

    /// <summary>What it means that a guest with such cards says nothing: it waits for its kernel to make their interfaces.</summary>
    public static AgentException Unanswered(SandboxId pod, AgentException error, IEnumerable<PodInterface> present)
    {
        string[] cards = [.. present.Where(static item => item.Plan.Device is not null)
            .Select(static item => $"'{item.Plan.Name}' ({item.Plan.Device}, {item.Plan.Address})")];
        return new AgentException(
            $"set up the network in the guest of '{pod}'", error.Code,
            $"the guest's agent did not answer in time. Its kernel may have no driver for {string.Join(", ", cards)}, or knows "
                + "another hardware address: use a guest image with the driver, or have the host carry the frames by a veth or a macvlan");
    }

    /// <summary>Has the interface of a card that is back be nobody's.</summary>
    /// <exception cref="NetworkException">The kernel refused.</exception>
    public void SwitchOff(NetworkNamespace space, EndpointPlan card)
    {
        try
        {
            if (space.Netlink.Links.List().FirstOrDefault(link => HostCards.DeviceOf(_bus, link) == card.Device) is { } link)
            {
                LinkState off = LinkState.Read(space.Netlink, link) with { IsUp = false, Addresses = [], Routes = [], Neighbours = [] };
                off.Apply(space.Netlink, link.Index);
            }
        }
        catch (NetlinkException error)
        {
            throw new NetworkException($"Cannot switch the interface '{card.Name}' of '{space.Path}' off", error);
        }
    }

    /// <summary>What has to be done to take one.</summary>
    /// <param name="space">The namespace.</param>
    /// <param name="network">What is in there.</param>
    /// <param name="endpoint">The interface, with its device.</param>
    /// <param name="all">All devices that the guest is to have.</param>
    /// <param name="number">No other card's of this pod.</param>
    /// <param name="plug">Plugs it in.</param>
    /// <exception cref="NetworkException">It has gone meanwhile.</exception>
    public PodInterface Make(
        NetworkNamespace space, HostNetwork network, EndpointPlan endpoint, IReadOnlyCollection<PciAddress> all, int number,
        Func<DeviceStep, PlugStep> plug)
    {
        PciAddress device = endpoint.Device!;
        if (network.Links.FirstOrDefault(link => link.Index == endpoint.LinkIndex) is not { } link || _bus.GroupOf(device) is not { } group)
        {
            throw new NetworkException($"Cannot give the interface '{endpoint.Name}' to the guest: it has gone");
        }

        var host = new HostDevice(new DeviceId(FormattableString.Invariant($"net{number}")), device, group);
        var step = new HostCardStep(_bus, host, HostCard.Read(_bus, space, link, device), all, environment.Time);
        EndpointPlan gone = endpoint with { LinkIndex = FirstGone + number };
        return new PodInterface(gone, step, plug(step)) { Gone = network.OfLink(link.Index, gone.LinkIndex), LinkIndex = link.Index };
    }
}
