using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Kata.Linux;

/// <summary>
/// SHA-256 (FIPS 180-4), for names that are made of other names.
/// </summary>
/// <remarks>
/// Why not <c>System.Security.Cryptography</c>: it loads OpenSSL, which costs every process 0.7 MB of private memory, and time, for a hash
/// of a hundred bytes. Nothing secret goes through here, and nothing large.
/// </remarks>
internal static class Sha256
{
    /// <summary>Of a hash, in bytes.</summary>
    public const int Length = 32;

    private const int BlockBytes = 64;
    private const int LengthBytes = 8; // of the message's length, at the end of the last block

    // Section 5.3.3: the first 32 bits of the fractions of the square roots of the first 8 primes.
    private static ReadOnlySpan<uint> Initial =>
    [
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    ];

    // Section 4.2.2: those of the cube roots of the first 64.
    private static ReadOnlySpan<uint> RoundConstants =>
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    /// <summary>The hash of a text's UTF-8, in lower-case hexadecimal digits.</summary>
    /// <param name="text">Any.</param>
    /// <param name="length">How many bytes of the hash, from its beginning; twice as many digits.</param>
    public static string HexOf(string text, int length = Length) =>
        Convert.ToHexStringLower(Hash(Encoding.UTF8.GetBytes(text)).AsSpan(0, length));

    /// <returns><see cref="Length"/> bytes.</returns>
    public static byte[] Hash(ReadOnlySpan<byte> message)
    {
        Span<uint> state = stackalloc uint[Initial.Length];
        Initial.CopyTo(state);
        ReadOnlySpan<byte> rest = message;
        for (; rest.Length >= BlockBytes; rest = rest[BlockBytes..])
        {
            Compress(state, rest);
        }

        // Section 5.1.1: one bit that is set, zeros, and the length in bits at the end of a block.
        Span<byte> padded = stackalloc byte[2 * BlockBytes];
        padded.Clear();
        rest.CopyTo(padded);
        padded[rest.Length] = 0x80;
        int blocks = rest.Length < BlockBytes - LengthBytes ? 1 : 2;
        BinaryPrimitives.WriteUInt64BigEndian(padded[((blocks * BlockBytes) - LengthBytes)..], (ulong)message.Length * 8);
        for (int block = 0; block < blocks; block++)
        {
            Compress(state, padded[(block * BlockBytes)..]);
        }

        byte[] hash = new byte[Length];
        for (int i = 0; i < state.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(hash.AsSpan(i * sizeof(uint)), state[i]);
        }

        return hash;
    }

    // Section 6.2.2, with its names. All sums are modulo 2^32.
    private static void Compress(Span<uint> state, ReadOnlySpan<byte> block)
    {
        Span<uint> w = stackalloc uint[RoundConstants.Length];
        for (int t = 0; t < w.Length; t++)
        {
            w[t] = t < 16
                ? BinaryPrimitives.ReadUInt32BigEndian(block[(t * sizeof(uint))..])
                : unchecked(SmallSigma1(w[t - 2]) + w[t - 7] + SmallSigma0(w[t - 15]) + w[t - 16]);
        }

        (uint a, uint b, uint c, uint d) = (state[0], state[1], state[2], state[3]);
        (uint e, uint f, uint g, uint h) = (state[4], state[5], state[6], state[7]);
        unchecked
        {
            for (int t = 0; t < w.Length; t++)
            {
                uint t1 = h + Sigma1(e) + ((e & f) ^ (~e & g)) + RoundConstants[t] + w[t];
                uint t2 = Sigma0(a) + ((a & b) ^ (a & c) ^ (b & c));
                (h, g, f, e, d, c, b, a) = (g, f, e, d + t1, c, b, a, t1 + t2);
            }

            state[0] += a;
            state[1] += b;
            state[2] += c;
            state[3] += d;
            state[4] += e;
            state[5] += f;
            state[6] += g;
            state[7] += h;
        }
    }

    // Section 4.1.2.
    private static uint Sigma0(uint x) => Rotated(x, 2) ^ Rotated(x, 13) ^ Rotated(x, 22);

    private static uint Sigma1(uint x) => Rotated(x, 6) ^ Rotated(x, 11) ^ Rotated(x, 25);

    private static uint SmallSigma0(uint x) => Rotated(x, 7) ^ Rotated(x, 18) ^ (x >> 3);

    private static uint SmallSigma1(uint x) => Rotated(x, 17) ^ Rotated(x, 19) ^ (x >> 10);

    private static uint Rotated(uint x, int bits) => BitOperations.RotateRight(x, bits);
}
