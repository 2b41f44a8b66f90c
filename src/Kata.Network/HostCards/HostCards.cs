using Kata.Linux;
using Kata.Netlink;

namespace Kata.Network;

/// <summary>Which interfaces are cards of the host that a guest can have itself.</summary>
internal static class HostCards
{
    /// <summary>The device behind an interface; null where there is none on the PCI bus.</summary>
    public static PciAddress? DeviceOf(PciBus bus, Link link) =>
        link is { Kind: null, ParentBus: { } parentBus, ParentDevice: { } parent } ? bus.Find(parentBus, parent) : null;

    /// <summary>
    /// The device that the guest is to have instead of an interface of its pod's namespace; null where frames are carried to it as those of
    /// every other: where no IOMMU keeps the host's memory from the device, or it is not that interface's alone.
    /// </summary>
    /// <param name="bus">The host's.</param>
    /// <param name="link">The interface.</param>
    /// <param name="warning">Why not, where one would expect it; else null.</param>
    public static PciAddress? Find(PciBus bus, Link link, out string? warning)
    {
        warning = null;
        if (DeviceOf(bus, link) is not { } device || bus.GroupOf(device) is null)
        {
            return null;
        }

        IReadOnlyList<string> others = bus.InterfacesOf(device);
        int functions = bus.VirtualFunctionsOf(device);
        string? reason = true switch
        {
            _ when !bus.HasDriver(PciBus.VfioDriver) =>
                $"the host's kernel has no driver '{PciBus.VfioDriver}'. Load it with 'modprobe {PciBus.VfioDriver}'",
            _ when functions > 0 => FormattableString.Invariant(
                $"the {functions} virtual functions of its device '{device}' would end with its driver. Give the pod one of them"),
            _ when others.Count > 0 => $"the host has '{string.Join("', '", others)}' by its device '{device}', too",
            _ => null,
        };
        if (reason is null)
        {
            return device;
        }

        warning = $"The host carries the frames of the interface '{link.Name}', and the guest does not have the card itself: "
            + reason;
        return null;
    }

    /// <summary>Takes cards from their drivers. One that fails has changed nothing.</summary>
    /// <param name="bus">The host's.</param>
    /// <param name="card">The card.</param>
    /// <param name="pods">All cards that the same guest is to have.</param>
    /// <exception cref="NetworkException">
    /// Somebody else uses what cannot be told apart from the card, or its driver does not let go.
    /// </exception>
    public static void Take(PciBus bus, HostCard card, IReadOnlyCollection<PciAddress> pods)
    {
        string action = $"Cannot give the interface '{card.State.Name}' to the guest";
        PciAddress[] others = [.. bus.UsersOfGroup(card.Device).Where(other => !pods.Contains(other))];
        if (others.Length > 0)
        {
            string names = string.Join(", ", others.Select(other => $"'{other}' ({bus.DriverOf(other)})"));
            throw new NetworkException(
                $"{action}: the host uses {names}, which the IOMMU does not keep apart from its device '{card.Device}'. "
                    + $"Take them from their drivers, or give the pod an interface of another IOMMU group than {bus.GroupOf(card.Device)}");
        }

        try
        {
            bus.GiveToVfio(card.Device);
        }
        catch (IOException error)
        {
            throw new NetworkException(action, error);
        }
    }
}
