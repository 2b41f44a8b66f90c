using CsCheck;

namespace Kata.Netlink.Tests;

/// <summary>
/// Whatever the bytes are, there are records or <see cref="NetlinkProtocolException"/>, and no more memory than the bytes are worth.
/// </summary>
public sealed class HostileTests
{
    private static readonly byte[][] s_golden = [.. Golden.Names.Select(Golden.Bytes)];

    [Fact]
    public void Read_RandomBytes_GivesRecordsOrRefuses() => Gen.Byte.Array[0, 200].Sample(static bytes => Read(bytes), iter: 20_000);

    // A header that fits, so that what is behind it is read.
    [Fact]
    public void Read_RandomBytesInAMessage_GivesRecordsOrRefuses() =>
        Gen.Select(Gen.UShort[0, 100], Gen.UShort, Gen.Byte.Array[0, 200])
            .Sample(static (type, flags, payload) => Read(Messages.Of(type, flags, 0, payload)), iter: 50_000);

    [Fact]
    public void Read_GoldenMessageCutAnywhere_IsRefused() => Assert.All(s_golden, static bytes =>
    {
        for (int length = 1; length < bytes.Length - 3; length++)
        {
            Assert.Throws<NetlinkProtocolException>(() => NetlinkMessages.Read(bytes.AsSpan(0, length)));
        }
    });

    // The message's own length is changed with it: attributes are cut.
    [Fact]
    public void Read_GoldenMessageMadeShorter_GivesRecordsOrRefuses() => Assert.All(s_golden, static bytes =>
    {
        for (int length = 16; length < bytes.Length; length++)
        {
            byte[] shorter = bytes[..length];
            BitConverter.TryWriteBytes(shorter, length);
            Read(shorter);
        }
    });

    [Fact]
    public void Read_GoldenMessageWithOtherBytes_GivesRecordsOrRefuses() =>
        Gen.Select(Gen.Int[0, s_golden.Length - 1], Gen.Select(Gen.UShort, Gen.Byte).Array[1, 8]).Sample(
            static (index, changes) =>
            {
                byte[] changed = [.. s_golden[index]];
                foreach ((ushort place, byte value) in changes)
                {
                    changed[place % changed.Length] = value;
                }

                Read(changed);
            },
            iter: 50_000);

    [Fact]
    public void Read_LengthsOfGigabytes_AllocateNothingOfTheKind()
    {
        byte[] message = Messages.Link(1, 1, "x");
        BitConverter.TryWriteBytes(message, 0x7fff_ffff);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<NetlinkProtocolException>(() => NetlinkMessages.Read(message));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    private static void Read(byte[] bytes)
    {
        try
        {
            Assert.DoesNotContain(null, NetlinkMessages.Read(bytes));
        }
        catch (NetlinkProtocolException error)
        {
            Assert.StartsWith("Cannot read a message of rtnetlink: ", error.Message);
        }
    }
}
