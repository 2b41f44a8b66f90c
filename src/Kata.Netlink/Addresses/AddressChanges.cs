using System.Globalization;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>
/// Changes of addresses: at once by <see cref="NetlinkSocket.Addresses"/>, later by <see cref="NetlinkBatch.Addresses"/>.
/// </summary>
public class AddressChanges
{
    private readonly IRequestSink _sink;

    internal AddressChanges(IRequestSink sink) => _sink = sink;

    /// <summary>Gives a link an address.</summary>
    /// <exception cref="NetlinkException">The kernel refused: <see cref="NetlinkErrno.EEXIST"/> when it has it.</exception>
    public void Add(InterfaceAddress address) =>
        Submit(address, Rtnl.RTM_NEWADDR, Rtnl.NLM_F_ACK | Rtnl.NLM_F_CREATE | Rtnl.NLM_F_EXCL, "add the address");

    /// <summary>Gives a link an address, or an address that it has other flags and lifetimes.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void Replace(InterfaceAddress address) =>
        Submit(address, Rtnl.RTM_NEWADDR, Rtnl.NLM_F_ACK | Rtnl.NLM_F_CREATE | Rtnl.NLM_F_REPLACE, "replace the address");

    /// <summary>Takes an address away. Link, address, prefix, peer and label have to be as they are; the rest does not matter.</summary>
    /// <exception cref="NetlinkException">
    /// The kernel refused: <see cref="NetlinkErrno.EADDRNOTAVAIL"/> when the link has no such address.
    /// </exception>
    public void Delete(InterfaceAddress address) => Submit(address, Rtnl.RTM_DELADDR, Rtnl.NLM_F_ACK, "delete the address");

    private void Submit(InterfaceAddress address, ushort type, ushort flags, string operation)
    {
        ArgumentNullException.ThrowIfNull(address);
        var message = new MessageWriter(type, flags);
        address.Write(message);
        string subject = string.Create(CultureInfo.InvariantCulture, $"{address.Local} of link {address.LinkIndex}");
        _sink.Submit(new NetlinkRequest(message, operation, subject));
    }
}
