using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>The links of a network namespace.</summary>
public sealed class LinkOperations : LinkChanges
{
    private readonly RequestChannel _channel;

    internal LinkOperations(IRequestSink sink, RequestChannel channel) : base(sink) => _channel = channel;

    /// <summary>All links, by their index.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public IReadOnlyList<Link> List()
    {
        var message = new MessageWriter(Rtnl.RTM_GETLINK, Rtnl.NLM_F_DUMP);
        message.Structure(default(IfInfoMsg));
        return _channel.List(new NetlinkRequest(message, "list the links", ""), Link.Read);
    }

    /// <summary>One link.</summary>
    /// <exception cref="NetlinkException">The kernel refused: <see cref="NetlinkErrno.ENODEV"/> when there is no such link.</exception>
    public Link Get(int index)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(index, 1);
        var message = new MessageWriter(Rtnl.RTM_GETLINK, 0);
        message.Structure(new IfInfoMsg { ifi_index = index });
        return _channel.Get(new NetlinkRequest(message, "get the link", Subject(index)), Link.Read);
    }

    /// <summary>The link of that name.</summary>
    /// <inheritdoc cref="Get(int)"/>
    public Link Get(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var message = new MessageWriter(Rtnl.RTM_GETLINK, 0);
        message.Structure(default(IfInfoMsg));
        message.Text(Rtnl.IFLA_IFNAME, name);
        return _channel.Get(new NetlinkRequest(message, "get the link", name), Link.Read);
    }

    /// <summary>The link of that name; null when there is none.</summary>
    /// <exception cref="NetlinkException">The kernel refused for another reason.</exception>
    public Link? Find(string name)
    {
        try
        {
            return Get(name);
        }
        catch (NetlinkException error) when (error.Errno == NetlinkErrno.ENODEV)
        {
            return null;
        }
    }
}
