using Grpc.Core;

namespace Kata.TtRpc;

/// <summary><c>Request{service 1, method 2, payload 3, timeout_nano 4, metadata 5}</c>, as ranges of the frame's data.</summary>
internal struct RequestEnvelope
{
    /// <summary>More entries than this are refused: each costs far more memory than its bytes on the wire.</summary>
    public const int MaxMetadataEntries = 1024;

    /// <summary>Where the message is.</summary>
    public const int PayloadField = 3;

    private const int ServiceField = 1;
    private const int MethodField = 2;
    private const int TimeoutField = 4;
    private const int MetadataField = 5;

    public (int Start, int Length) Service { get; private set; }

    public (int Start, int Length) Method { get; private set; }

    public (int Start, int Length) Payload { get; private set; }

    /// <summary>0: no limit.</summary>
    public long TimeoutNanoseconds { get; private set; }

    public int MetadataCount { get; private set; }

    /// <summary>Fields that are absent are empty; of fields given twice the last one counts.</summary>
    public static bool TryParse(ReadOnlySpan<byte> data, out RequestEnvelope envelope)
    {
        envelope = default;
        var reader = new WireReader(data);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadTag(out int field, out int wireType)) return false;
            switch (field, wireType)
            {
                case (ServiceField or MethodField or PayloadField or MetadataField, WireReader.LengthDelimited):
                    if (!reader.TryReadBytes(out int start, out int length)) return false;
                    envelope.Set(field, (start, length));
                    break;
                case (TimeoutField, WireReader.Varint):
                    if (!reader.TryReadVarint(out ulong timeout)) return false;
                    envelope.TimeoutNanoseconds = (long)timeout;
                    break;
                default:
                    if (!reader.TrySkip(wireType)) return false;
                    break;
            }
        }

        return envelope.MetadataCount <= MaxMetadataEntries;
    }

    /// <summary>Of data that <see cref="TryParse"/> accepted. Entries that gRPC's metadata cannot hold are left out.</summary>
    public static Metadata ReadMetadata(ReadOnlySpan<byte> data)
    {
        var metadata = new Metadata();
        var reader = new WireReader(data);
        while (!reader.AtEnd && reader.TryReadTag(out int field, out int wireType))
        {
            if ((field, wireType) != (MetadataField, WireReader.LengthDelimited))
            {
                if (!reader.TrySkip(wireType)) break;
                continue;
            }

            if (!reader.TryReadBytes(out int start, out int length)) break;
            MetadataText.TryAdd(metadata, data.Slice(start, length));
        }

        return metadata;
    }

    /// <summary>What is before the message.</summary>
    public static void WriteMethod(OutgoingFrame frame, MethodName method)
    {
        frame.WriteString(ServiceField, method.Service);
        frame.WriteString(MethodField, method.Name);
    }

    /// <summary>What is after the message.</summary>
    public static void WriteRest(OutgoingFrame frame, long timeoutNanoseconds, Metadata? metadata)
    {
        frame.WriteVarintField(TimeoutField, (ulong)timeoutNanoseconds);
        if (metadata is null) return;
        foreach (Metadata.Entry entry in metadata)
            MetadataText.Write(frame, MetadataField, entry);
    }

    private void Set(int field, (int Start, int Length) range)
    {
        switch (field)
        {
            case ServiceField:
                Service = range;
                break;
            case MethodField:
                Method = range;
                break;
            case PayloadField:
                Payload = range;
                break;
            default:
                MetadataCount++;
                break;
        }
    }
}
