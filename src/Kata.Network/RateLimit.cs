using Kata.Netlink;

namespace Kata.Network;

/// <summary>Has a link send no faster than a rate.</summary>
internal static class RateLimit
{
    // The largest packet there is with the headers of all the segments that it stands for: none has to be cut up, whatever the link's MTU.
    private const uint LeastBurst = 80_000;

    private const ulong BurstsPerSecond = 100;
    private const ulong QueuesPerSecond = 20;

    /// <summary>Gives a link of ours, which has its kernel's qdisc, one that keeps the rate.</summary>
    /// <param name="netlink">Of the link's namespace.</param>
    /// <param name="link">Its number.</param>
    /// <param name="rate">In bytes a second.</param>
    /// <exception cref="NetlinkException">The kernel refused: <see cref="NetlinkErrno.ENOENT"/> when it has no token buckets.</exception>
    public static void Put(NetlinkSocket netlink, int link, ulong rate) =>
        netlink.Qdiscs.Add(new Qdisc { LinkIndex = link, Kind = BucketOf(rate) });

    /// <summary>A bucket that holds what comes in a hundredth of a second, before which a twentieth may wait.</summary>
    internal static TbfQdisc BucketOf(ulong rate)
    {
        uint burst = Bytes(rate / BurstsPerSecond);
        return new TbfQdisc { Rate = rate, Burst = burst, Limit = burst + Bytes(rate / QueuesPerSecond) };
    }

    // Two of them are a number that the kernel can hold.
    private static uint Bytes(ulong wanted) => (uint)Math.Clamp(wanted, LeastBurst, int.MaxValue);
}
