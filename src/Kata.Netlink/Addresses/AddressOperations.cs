using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>The IP addresses of a network namespace.</summary>
public sealed class AddressOperations : AddressChanges
{
    private readonly RequestChannel _channel;

    internal AddressOperations(IRequestSink sink, RequestChannel channel) : base(sink) => _channel = channel;

    /// <summary>The addresses.</summary>
    /// <param name="family">Of one family only, or <see cref="IPFamily.Any"/>.</param>
    /// <param name="linkIndex">Of one link only; null for all.</param>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public IReadOnlyList<InterfaceAddress> List(IPFamily family = IPFamily.Any, int? linkIndex = null)
    {
        var message = new MessageWriter(Rtnl.RTM_GETADDR, Rtnl.NLM_F_DUMP);
        message.Structure(new IfAddrMsg { ifa_family = (byte)family });
        return _channel.List(
            new NetlinkRequest(message, "list the addresses", ""),
            answer => InterfaceAddress.Read(answer) is { } address
                && (linkIndex is null || address.LinkIndex == linkIndex) ? address : null);
    }
}
