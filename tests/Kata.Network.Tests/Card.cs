using System.Buffers.Binary;
using System.Net;
using System.Text;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Network.Tests;

/// <summary>A guest's card without a guest: frames by a tap's queues, each with its virtio header in front.</summary>
/// <param name="queues">Borrowed.</param>
internal sealed class Card(params IReadOnlyList<SafeFileDescriptor> queues)
{
    private const int VirtioHeader = 10; // struct virtio_net_hdr, linux/virtio_net.h: what a tap has that is told nothing else
    private const int EthernetHeader = 14;
    private const int IPHeader = 20;
    private const int UdpHeader = 8;
    private const int LimitMilliseconds = 10_000;

    public static readonly byte[] Mac = [2, 0, 0, 0, 0, 0x42];

    /// <summary>The next ARP request: who asks, and for what.</summary>
    public (byte[] Mac, string Address, string Wanted) ReadArpRequest()
    {
        byte[] arp = ReadFrame(0x0806);
        Assert.Equal(1, BinaryPrimitives.ReadUInt16BigEndian(arp.AsSpan(6)));
        return (arp[8..14], new IPAddress(arp.AsSpan(14, 4)).ToString(), new IPAddress(arp.AsSpan(24, 4)).ToString());
    }

    /// <summary>Says by ARP that an address is this card's.</summary>
    public void AnswerArp(byte[] to, string asking, string wanted) => WriteFrame(
        to, 0x0806, [0, 1, 8, 0, 6, 4, 0, 2, .. Mac, .. Bytes(wanted), .. to, .. Bytes(asking)]);

    /// <summary>The text of the next UDP packet.</summary>
    public string ReadText()
    {
        byte[] packet = ReadFrame(0x0800);
        int length = BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(IPHeader + 4));
        return Encoding.ASCII.GetString(packet.AsSpan(IPHeader + UdpHeader, length - UdpHeader));
    }

    /// <summary>Sends a text by UDP.</summary>
    public void WriteText(byte[] toMac, string from, string to, int port, string text)
    {
        byte[] data = Encoding.ASCII.GetBytes(text);
        byte[] packet = new byte[IPHeader + UdpHeader + data.Length];
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        packet[8] = 64; // hops
        packet[9] = 17; // UDP
        Bytes(from).CopyTo(packet, 12);
        Bytes(to).CopyTo(packet, 16);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), Checksum(packet.AsSpan(0, IPHeader)));
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(IPHeader), 4711);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(IPHeader + 2), (ushort)port);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(IPHeader + 4), (ushort)(UdpHeader + data.Length)); // and no checksum
        data.CopyTo(packet, IPHeader + UdpHeader);
        WriteFrame(toMac, 0x0800, packet);
    }

    // What the frame carries, once one of that type is there.
    private unsafe byte[] ReadFrame(ushort type)
    {
        byte[] frame = new byte[70_000];
        long limit = Environment.TickCount64 + LimitMilliseconds;
        while (true)
        {
            Assert.True(Environment.TickCount64 < limit, "no such frame comes");
            foreach (SafeFileDescriptor queue in queues)
            {
                nint length;
                fixed (byte* pointer = frame) // SAFETY: pinned for the call, whose size it is
                {
                    length = LibC.read(queue, pointer, (nuint)frame.Length);
                }

                if (length > VirtioHeader + EthernetHeader
                    && BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(VirtioHeader + 12)) == type)
                {
                    return frame[(VirtioHeader + EthernetHeader)..(int)length];
                }
            }

            Wait();
        }
    }

    // The first of several queues is enough to wake up for: the others have been asked just now, and are asked again.
    private void Wait()
    {
        var entry = new PollFd { fd = queues[0].Number, events = LibC.POLLIN };
        Assert.True(LibC.poll(ref entry, 1, queues.Count > 1 ? 5 : LimitMilliseconds) > 0 || queues.Count > 1, "no frame comes");
    }

    private void WriteFrame(byte[] to, ushort type, byte[] payload)
    {
        byte[] frame = [.. new byte[VirtioHeader], .. to, .. Mac, (byte)(type >> 8), (byte)type, .. payload];
        while (true)
        {
            try
            {
                DescriptorWriter.Write(queues[0], frame, "send a frame");
                return;
            }
            catch (LinuxException error) when (error.Errno == Errno.EAGAIN) // a macvtap takes so much, and no more until that is sent
            {
                var entry = new PollFd { fd = queues[0].Number, events = LibC.POLLOUT };
                Assert.True(LibC.poll(ref entry, 1, LimitMilliseconds) > 0, "no frame goes");
            }
        }
    }

    private static byte[] Bytes(string address) => IPAddress.Parse(address).GetAddressBytes();

    private static ushort Checksum(ReadOnlySpan<byte> header)
    {
        uint sum = 0;
        for (int i = 0; i < header.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(header[i..]);
        }

        return (ushort)~((sum & 0xFFFF) + (sum >> 16));
    }
}
