using System.Text;
using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>
/// ttRPC's <c>KeyValue{key 1, value 2}</c> and gRPC's metadata. Values are text on the wire; as with gRPC over HTTP, the value of a key
/// that ends in "-bin" is base64.
/// </summary>
internal static class MetadataText
{
    private const int KeyField = 1;
    private const int ValueField = 2;
    private const string BinarySuffix = "-bin";

    public static void Write(OutgoingFrame frame, int field, Metadata.Entry entry)
    {
        string value = entry.IsBinary ? Convert.ToBase64String(entry.ValueBytes) : entry.Value;
        frame.WritePrefix(field, FieldLength(entry.Key) + FieldLength(value));
        frame.WriteString(KeyField, entry.Key);
        frame.WriteString(ValueField, value);
    }

    public static void TryAdd(Metadata metadata, ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<byte> key = default;
        ReadOnlySpan<byte> value = default;
        var reader = new WireReader(data);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadTag(out int field, out int wireType)) return;
            if (wireType != WireReader.LengthDelimited)
            {
                if (!reader.TrySkip(wireType)) return;
                continue;
            }

            if (!reader.TryReadBytes(out int start, out int length)) return;
            if (field == KeyField) key = data.Slice(start, length);
            if (field == ValueField) value = data.Slice(start, length);
        }

        if (IsValidKey(key)) Add(metadata, Encoding.ASCII.GetString(key), Encoding.UTF8.GetString(value));
    }

    private static void Add(Metadata metadata, string key, string value)
    {
        if (!key.EndsWith(BinarySuffix, StringComparison.OrdinalIgnoreCase))
        {
            metadata.Add(key, value);
            return;
        }

        byte[] bytes = new byte[value.Length];
        if (Convert.TryFromBase64String(value, bytes, out int count)) metadata.Add(key, bytes.AsSpan(0, count).ToArray());
    }

    /// <summary>What <see cref="Metadata.Entry"/> accepts; it throws for anything else.</summary>
    private static bool IsValidKey(ReadOnlySpan<byte> key)
    {
        foreach (byte c in key)
        {
            if (!char.IsAsciiLetterOrDigit((char)c) && c is not ((byte)'.' or (byte)'_' or (byte)'-')) return false;
        }

        return key.Length > 0;
    }

    private static int FieldLength(string value)
    {
        if (value.Length == 0) return 0;
        int length = Encoding.UTF8.GetByteCount(value);
        return 1 + OutgoingFrame.VarintLength((uint)length) + length;
    }
}
