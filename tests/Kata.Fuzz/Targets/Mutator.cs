using System.Buffers.Binary;

namespace Kata.Fuzz.Targets;

/// <summary>Makes a new input of old ones. The same seed gives the same sequence.</summary>
internal sealed class Mutator(int seed)
{
    private const int MaxLength = 64 * 1024;

    private static readonly uint[] s_edges = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x40_0000, 0x40_0001, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
    private static readonly byte[] s_punctuation = "{}[]()\"'\\:,.=#|*+?^$-0\n\0"u8.ToArray();

    private readonly Random _random = new(seed);

    public byte[] Next(IReadOnlyList<byte[]> inputs)
    {
        var bytes = new List<byte>(Pick(inputs));
        for (int change = _random.Next(1, 6); change > 0; change--)
        {
            Change(bytes, inputs);
        }

        if (bytes.Count > MaxLength)
        {
            bytes.RemoveRange(MaxLength, bytes.Count - MaxLength);
        }

        return [.. bytes];
    }

    private byte[] Pick(IReadOnlyList<byte[]> inputs) => inputs[_random.Next(inputs.Count)];

    private void Change(List<byte> bytes, IReadOnlyList<byte[]> inputs)
    {
        int at = _random.Next(bytes.Count + 1);
        int length = Math.Min(_random.Next(1, 33), bytes.Count - at);
        switch (_random.Next(8))
        {
            case 0 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1 when at < bytes.Count:
                bytes[at] = (byte)_random.Next(256);
                break;
            case 2:
                bytes.RemoveRange(at, length);
                break;
            case 3:
                bytes.InsertRange(at, bytes.GetRange(at, length));
                break;
            case 4:
                bytes.Insert(at, s_punctuation[_random.Next(s_punctuation.Length)]);
                break;
            case 5 when bytes.Count - at >= sizeof(uint):
                byte[] edge = new byte[sizeof(uint)];
                BinaryPrimitives.WriteUInt32BigEndian(edge, s_edges[_random.Next(s_edges.Length)]);
                bytes.RemoveRange(at, edge.Length);
                bytes.InsertRange(at, edge);
                break;
            case 6:
                byte[] other = Pick(inputs);
                int from = _random.Next(other.Length + 1);
                bytes.InsertRange(at, other[from..Math.Min(other.Length, from + _random.Next(1, 65))]);
                break;
            case 7 when length > 0:
                // Nesting and repetition are what parsers recurse and loop on.
                List<byte> block = bytes.GetRange(at, length);
                for (int times = 1 << _random.Next(8); times > 0 && bytes.Count < MaxLength; times--)
                {
                    bytes.InsertRange(at, block);
                }

                break;
        }
    }
}
