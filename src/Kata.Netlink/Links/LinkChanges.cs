using System.Globalization;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>Changes of links: at once by <see cref="NetlinkSocket.Links"/>, later by <see cref="NetlinkBatch.Links"/>.</summary>
public class LinkChanges
{
    private readonly IRequestSink _sink;

    internal LinkChanges(IRequestSink sink) => _sink = sink;

    /// <summary>Makes a link.</summary>
    /// <exception cref="NetlinkException">The kernel refused: <see cref="NetlinkErrno.EEXIST"/> when the name is taken.</exception>
    public void Add(LinkSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.Kind is null)
        {
            throw new ArgumentException($"Cannot add the link '{settings.Name}': no kind is given. Give Kind", nameof(settings));
        }

        var message = new MessageWriter(Rtnl.RTM_NEWLINK, Rtnl.NLM_F_ACK | Rtnl.NLM_F_CREATE | Rtnl.NLM_F_EXCL);
        LinkCodec.WriteNew(message, settings);
        _sink.Submit(new NetlinkRequest(message, "add the link", settings.Name ?? settings.Kind.Name, settings));
    }

    /// <summary>Changes what of <paramref name="settings"/> is not null; also renames and moves.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void Change(int index, LinkSettings settings)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(index, 1);
        ArgumentNullException.ThrowIfNull(settings);
        var message = new MessageWriter(Rtnl.RTM_NEWLINK, Rtnl.NLM_F_ACK);
        LinkCodec.WriteSettings(message, index, settings);
        _sink.Submit(new NetlinkRequest(message, "change the link", Subject(index), settings));
    }

    /// <summary>Switches a link on.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void SetUp(int index) => Change(index, new LinkSettings { SetFlags = LinkFlags.Up });

    /// <summary>Switches a link off.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void SetDown(int index) => Change(index, new LinkSettings { ClearFlags = LinkFlags.Up });

    /// <summary>Removes a link; of a veth both ends.</summary>
    /// <exception cref="NetlinkException">The kernel refused: <see cref="NetlinkErrno.ENODEV"/> when there is no such link.</exception>
    public void Delete(int index)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(index, 1);
        var message = new MessageWriter(Rtnl.RTM_DELLINK, Rtnl.NLM_F_ACK);
        message.Structure(new IfInfoMsg { ifi_index = index });
        _sink.Submit(new NetlinkRequest(message, "delete the link", Subject(index)));
    }

    /// <summary>Removes the link of that name.</summary>
    /// <inheritdoc cref="Delete(int)"/>
    public void Delete(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var message = new MessageWriter(Rtnl.RTM_DELLINK, Rtnl.NLM_F_ACK);
        message.Structure(default(IfInfoMsg));
        message.Text(Rtnl.IFLA_IFNAME, name);
        _sink.Submit(new NetlinkRequest(message, "delete the link", name));
    }

    private protected static string Subject(int index) => string.Create(CultureInfo.InvariantCulture, $"index {index}");
}
