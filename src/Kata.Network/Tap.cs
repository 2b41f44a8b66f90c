using Kata.Linux;
using Kata.Netlink;

namespace Kata.Network;

/// <summary>A tap device, which goes when the last descriptor of it is closed, or a macvtap, which stays. Owns its queues.</summary>
internal sealed class Tap : IDisposable
{
    /// <summary>What the names of all of our taps end in.</summary>
    public const string NameSuffix = "_kata";

    /// <summary>The largest packet, in bytes: a frame of it is the largest that the kernel's tap takes.</summary>
    public const uint MaxMtu = 65_521;

    private const int FirstLongIndex = 10_000_000;

    private readonly List<SafeFileDescriptor> _queues;

    private Tap(int index, List<SafeFileDescriptor> queues) => (Index, _queues) = (index, queues);

    /// <summary>Its number in its network namespace.</summary>
    public int Index { get; }

    /// <summary>
    /// The name of the tap that stands for a link in the guest: Kata's form, and a shorter one where that would have more than the 15 bytes
    /// of a name.
    /// </summary>
    public static string NameOf(int linkIndex) => linkIndex < FirstLongIndex
        ? FormattableString.Invariant($"tap{linkIndex}{NameSuffix}")
        : FormattableString.Invariant($"t{linkIndex:x8}{NameSuffix}");

    /// <summary>Makes one, still down.</summary>
    /// <param name="space">Where.</param>
    /// <param name="name">A free name.</param>
    /// <param name="queues">How many can send and receive at once.</param>
    /// <exception cref="LinuxException">The kernel refused: ENOENT without tun, EBUSY when the name is taken.</exception>
    /// <exception cref="NetlinkException">It went again at once.</exception>
    public static Tap Make(NetworkNamespace space, string name, int queues)
    {
        List<SafeFileDescriptor> opened = space.Run(() => TunDevice.MakeTap(name, queues));
        try
        {
            return new Tap(space.Netlink.Links.Get(name).Index, opened);
        }
        catch
        {
            opened.ForEach(static queue => queue.Dispose());
            throw;
        }
    }

    /// <summary>Makes a macvtap, still down, that has all frames of a link, and the link's hardware address.</summary>
    /// <param name="space">Where.</param>
    /// <param name="plan">The link, which nothing else lies on.</param>
    /// <param name="queues">How many can send and receive at once.</param>
    /// <exception cref="NetlinkException">The kernel refused: EEXIST when the link has one already.</exception>
    /// <exception cref="LinuxException">Its device cannot be opened.</exception>
    /// <exception cref="IOException">It went again at once.</exception>
    public static Tap MakeMacvtap(NetworkNamespace space, EndpointPlan plan, int queues)
    {
        string name = NameOf(plan.LinkIndex);
        space.Netlink.Links.Add(new LinkSettings
        {
            Name = name,
            Parent = plan.LinkIndex,
            Mtu = plan.Mtu,
            Kind = new MacvlanKind(isTap: true) { Mode = MacvlanMode.Passthru },
        });
        try
        {
            int index = space.Netlink.Links.Get(name).Index;
            return new Tap(index, space.Run(() => MacvtapDevice.Open(name, index, queues)));
        }
        catch
        {
            RemoveMacvtap(space, plan.LinkIndex);
            throw;
        }
    }

    /// <summary>Removes the macvtap of a link. Does nothing where there is none.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public static void RemoveMacvtap(NetworkNamespace space, int linkIndex)
    {
        string name = NameOf(linkIndex);
        if (space.Netlink.Links.List().FirstOrDefault(
            link => link.Name == name && link.Kind is MacvlanKind { IsTap: true }) is not { } macvtap)
        {
            return;
        }

        try
        {
            space.Netlink.Links.Delete(macvtap.Index);
        }
        catch (NetlinkException error) when (error.Errno == NetlinkErrno.ENODEV)
        {
            // the link has gone, and it with the link
        }
    }

    /// <summary>Gives the queues away, once.</summary>
    public IReadOnlyList<SafeFileDescriptor> Take()
    {
        SafeFileDescriptor[] queues = [.. _queues];
        _queues.Clear();
        return queues;
    }

    public void Dispose() => _queues.ForEach(static queue => queue.Dispose());
}
