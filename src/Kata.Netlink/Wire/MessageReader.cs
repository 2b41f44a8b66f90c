using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>The messages of one datagram, one after the other. Allocates nothing.</summary>
internal ref struct MessageReader(ReadOnlySpan<byte> datagram)
{
    private ReadOnlySpan<byte> _rest = datagram;

    /// <summary>The next message; false after the last.</summary>
    /// <exception cref="NetlinkProtocolException">A length does not fit into what is there.</exception>
    public bool Read(out NetlinkMessage message)
    {
        if (_rest.IsEmpty)
        {
            message = default;
            return false;
        }

        int headerSize = Unsafe.SizeOf<NlMsgHdr>();
        if (_rest.Length < headerSize)
        {
            throw new NetlinkProtocolException($"{_rest.Length} bytes are too few for the header of a message");
        }

        NlMsgHdr header = MemoryMarshal.Read<NlMsgHdr>(_rest);
        if (header.nlmsg_len < headerSize || header.nlmsg_len > _rest.Length)
        {
            throw new NetlinkProtocolException(
                $"a message of type {header.nlmsg_type} says that it has {header.nlmsg_len} bytes, and {_rest.Length} are there");
        }

        int length = (int)header.nlmsg_len;
        message = new NetlinkMessage(header, _rest[headerSize..length]);
        _rest = _rest[Math.Min(Alignment.Up(length), _rest.Length)..];
        return true;
    }
}
