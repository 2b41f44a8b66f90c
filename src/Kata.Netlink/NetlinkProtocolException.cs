namespace Kata.Netlink;

/// <summary>What arrived is no netlink message, or not one that makes sense. Nothing has been read beyond its end.</summary>
public sealed class NetlinkProtocolException : IOException
{
    internal NetlinkProtocolException(string cause) : base($"Cannot read a message of rtnetlink: {cause}")
    {
    }
}
