namespace Kata.Netlink;

/// <summary>Messages and attributes start at multiples of four (NLMSG_ALIGNTO, NLA_ALIGNTO).</summary>
internal static class Alignment
{
    public static int Up(int length) => (length + 3) & ~3;
}
