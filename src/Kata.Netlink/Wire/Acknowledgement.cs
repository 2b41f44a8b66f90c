using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>What NLMSG_ERROR and NLMSG_DONE say: an error number, 0 for success, and what goes with it.</summary>
internal readonly record struct Acknowledgement(NetlinkErrno Errno, ExtendedAck Details)
{
    private const int MaxErrno = 4095;

    /// <exception cref="NetlinkProtocolException">It is too short, or its number is none.</exception>
    public static Acknowledgement Read(NetlinkMessage message)
    {
        ReadOnlySpan<byte> payload = message.Payload;
        if (payload.Length < sizeof(int))
        {
            // The end of a list may come without a number from kernels that have nothing to say.
            return message.Type == Rtnl.NLMSG_DONE && payload.IsEmpty ? default
                : throw new NetlinkProtocolException($"an acknowledgement has {payload.Length} bytes");
        }

        int error = MemoryMarshal.Read<int>(payload);
        if (error is > 0 or < -MaxErrno)
        {
            throw new NetlinkProtocolException($"an acknowledgement has the error number {error}");
        }

        bool hasDetails = (message.Flags & Rtnl.NLM_F_ACK_TLVS) != 0;
        return new Acknowledgement((NetlinkErrno)(-error), hasDetails ? ReadDetails(message, payload[sizeof(int)..]) : default);
    }

    private static ExtendedAck ReadDetails(NetlinkMessage message, ReadOnlySpan<byte> rest)
    {
        if (message.Type == Rtnl.NLMSG_ERROR)
        {
            rest = AfterRequest(rest, isCapped: (message.Flags & Rtnl.NLM_F_CAPPED) != 0);
        }

        var details = new ExtendedAck();
        var attributes = new AttributeReader(rest);
        while (attributes.Read(out NetlinkAttribute attribute))
        {
            details = attribute.Type switch
            {
                Rtnl.NLMSGERR_ATTR_MSG => details with { Message = attribute.Text() },
                Rtnl.NLMSGERR_ATTR_OFFS => details with { Offset = attribute.UInt32() },
                Rtnl.NLMSGERR_ATTR_MISS_TYPE => details with { MissingType = attribute.UInt32() },
                _ => details,
            };
        }

        return details;
    }

    // The request comes back: its header alone when it is capped.
    private static ReadOnlySpan<byte> AfterRequest(ReadOnlySpan<byte> rest, bool isCapped)
    {
        int size = Unsafe.SizeOf<NlMsgHdr>();
        if (rest.Length < size)
        {
            throw new NetlinkProtocolException($"an acknowledgement has {rest.Length} bytes of its request, fewer than a header");
        }

        uint length = isCapped ? (uint)size : MemoryMarshal.Read<NlMsgHdr>(rest).nlmsg_len;
        return length >= size && length <= rest.Length
            ? rest[Math.Min(Alignment.Up((int)length), rest.Length)..]
            : throw new NetlinkProtocolException($"an acknowledgement has {rest.Length} bytes of a request of {length}");
    }
}
