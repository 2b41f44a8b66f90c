using Kata.Linux;
using Kata.Netlink;

namespace Kata.Network;

/// <summary>A tap device, which goes when the last descriptor of it is closed. Owns its queues.</summary>
internal sealed class Tap : IDisposable
{
    /// <summary>What the names of all of our taps end in.</summary>
    public const string NameSuffix = "_kata";

    private readonly List<SafeFileDescriptor> _queues;

    private Tap(int index, List<SafeFileDescriptor> queues) => (Index, _queues) = (index, queues);

    /// <summary>Its number in its network namespace.</summary>
    public int Index { get; }

    /// <summary>The name of the tap that stands for a link in the guest, at most 15 bytes: Kata's form.</summary>
    public static string NameOf(int linkIndex) => FormattableString.Invariant($"tap{linkIndex}{NameSuffix}");

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

    /// <summary>Gives the queues away, once.</summary>
    public IReadOnlyList<SafeFileDescriptor> Take()
    {
        SafeFileDescriptor[] queues = [.. _queues];
        _queues.Clear();
        return queues;
    }

    public void Dispose() => _queues.ForEach(static queue => queue.Dispose());
}
