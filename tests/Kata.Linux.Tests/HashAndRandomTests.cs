using System.Security.Cryptography;
using System.Text;
using CsCheck;

namespace Kata.Linux.Tests;

public sealed class HashAndRandomTests
{
    [Theory] // FIPS 180-4's examples, and the lengths at which the padding takes another block
    [InlineData("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData(
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")]
    public void Sha256_KnownMessage_HasItsHash(string message, string expected) => Assert.Equal(expected, Sha256.HexOf(message));

    [Fact]
    public void Sha256_EveryLengthOfSomeBlocks_IsAsTheFrameworks()
    {
        byte[] message = [.. Enumerable.Range(0, 260).Select(static i => (byte)(i * 7))];
        for (int length = 0; length <= message.Length; length++)
        {
            Assert.Equal(SHA256.HashData(message.AsSpan(0, length)), Sha256.Hash(message.AsSpan(0, length)));
        }
    }

    [Fact]
    public void Sha256_AnyBytes_IsAsTheFrameworks() =>
        Gen.Byte.Array[0, 1000].Sample(static bytes => Sha256.Hash(bytes).SequenceEqual(SHA256.HashData(bytes)));

    [Fact]
    public void HexOf_Length_IsTheBeginningOfTheHashOfTheUtf8()
    {
        string whole = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("/größe/漢字")));
        Assert.Equal(whole[..12], Sha256.HexOf("/größe/漢字", 6));
    }

    [Fact]
    public void Fill_Whole_ChangesEveryByteInTheEnd()
    {
        byte[] bytes = new byte[256], seen = new byte[256];
        for (int i = 0; i < 16; i++) // a byte is 0 in all of them once in 2^128
        {
            KernelRandom.Fill(bytes);
            for (int at = 0; at < seen.Length; at++)
            {
                seen[at] |= bytes[at];
            }
        }

        Assert.DoesNotContain((byte)0, seen);
    }

    [Fact]
    public void Fill_MoreThanComesAtOnce_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(static () => KernelRandom.Fill(new byte[257]));

    [Fact]
    public void UInt32_Sixteen_AreNotAllTheSame() => // but once in 2^480
        Assert.NotEqual(1, Enumerable.Range(0, 16).Select(static _ => KernelRandom.UInt32()).Distinct().Count());
}
