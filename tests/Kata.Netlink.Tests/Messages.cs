using System.Runtime.InteropServices;
using Kata.Netlink.Interop;

namespace Kata.Netlink.Tests;

/// <summary>Messages as the kernel makes them.</summary>
internal static class Messages
{
    public static byte[] Of(ushort type, ushort flags, uint sequence, ReadOnlySpan<byte> payload)
    {
        byte[] message = new byte[Alignment.Up(16 + payload.Length)];
        var header = new NlMsgHdr
        {
            nlmsg_len = (uint)(16 + payload.Length),
            nlmsg_type = type,
            nlmsg_flags = flags,
            nlmsg_seq = sequence,
        };
        MemoryMarshal.Write(message, header);
        payload.CopyTo(message.AsSpan(16));
        return message;
    }

    public static byte[] Acknowledge(uint sequence, NetlinkErrno errno = NetlinkErrno.None)
    {
        byte[] payload = new byte[20];
        MemoryMarshal.Write(payload, -(int)errno);
        return Of(Rtnl.NLMSG_ERROR, Rtnl.NLM_F_CAPPED, sequence, payload);
    }

    public static byte[] Done(uint sequence, ushort flags = 0) => Of(Rtnl.NLMSG_DONE, flags, sequence, new byte[4]);

    /// <summary>A link with nothing but a name.</summary>
    public static byte[] Link(uint sequence, int index, string name, ushort flags = 0)
    {
        var message = new MessageWriter(Rtnl.RTM_NEWLINK, 0);
        message.Structure(new IfInfoMsg { ifi_index = index });
        message.Text(Rtnl.IFLA_IFNAME, name);
        return Of(Rtnl.RTM_NEWLINK, flags, sequence, message.Finish(0)[16..]);
    }
}
