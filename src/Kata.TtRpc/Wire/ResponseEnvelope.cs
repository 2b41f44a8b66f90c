using System.Text;
using Grpc.Core;

namespace Kata.TtRpc;

/// <summary><c>Response{status 1, payload 2}</c> with <c>google.rpc.Status{code 1, message 2, details 3}</c>.</summary>
internal struct ResponseEnvelope
{
    /// <summary>Where the message is.</summary>
    public const int PayloadField = 2;

    private const int StatusField = 1;
    private const int CodeField = 1;
    private const int MessageField = 2;

    /// <summary>The key under which gRPC libraries look for a whole <c>google.rpc.Status</c>, with its details.</summary>
    private const string RichStatusKey = "grpc-status-details-bin";

    private bool _hasDetails;
    private (int Start, int Length) _status;

    public Status Status { get; private set; }

    public (int Start, int Length) Payload { get; private set; }

    public static bool TryParse(ReadOnlySpan<byte> data, out ResponseEnvelope envelope)
    {
        envelope = default;
        envelope.Status = Status.DefaultSuccess;
        var reader = new WireReader(data);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadTag(out int field, out int wireType)) return false;
            if (wireType == WireReader.LengthDelimited && field is StatusField or PayloadField)
            {
                if (!reader.TryReadBytes(out int start, out int length)) return false;
                if (field == PayloadField) envelope.Payload = (start, length);
                else if (!envelope.TryReadStatus(data, start, length)) return false;
            }
            else if (!reader.TrySkip(wireType))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>What the status says beyond code and message, in the form that gRPC libraries know.</summary>
    public readonly Metadata Trailers(ReadOnlySpan<byte> data) => _hasDetails
        ? new Metadata { { RichStatusKey, data.Slice(_status.Start, _status.Length).ToArray() } }
        : [];

    public static void WriteStatus(OutgoingFrame frame, Status status, Metadata? trailers)
    {
        if (trailers?.GetValueBytes(RichStatusKey) is { } rich)
        {
            frame.WriteBytes(StatusField, rich);
            return;
        }

        string message = status.Detail ?? "";
        int messageLength = Encoding.UTF8.GetByteCount(message);
        int length = 1 + OutgoingFrame.VarintLength((uint)status.StatusCode)
            + (messageLength == 0 ? 0 : 1 + OutgoingFrame.VarintLength((uint)messageLength) + messageLength);
        frame.WritePrefix(StatusField, length);
        frame.WriteVarintField(CodeField, (ulong)status.StatusCode);
        frame.WriteString(MessageField, message);
    }

    private bool TryReadStatus(ReadOnlySpan<byte> data, int statusStart, int statusLength)
    {
        _status = (statusStart, statusLength);
        ReadOnlySpan<byte> status = data.Slice(statusStart, statusLength);
        ulong code = 0;
        string message = "";
        var reader = new WireReader(status);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadTag(out int field, out int wireType)) return false;
            switch (field, wireType)
            {
                case (CodeField, WireReader.Varint):
                    if (!reader.TryReadVarint(out code)) return false;
                    break;
                case (MessageField, WireReader.LengthDelimited):
                    if (!reader.TryReadBytes(out int start, out int length)) return false;
                    message = Encoding.UTF8.GetString(status.Slice(start, length));
                    break;
                default:
                    _hasDetails = true;
                    if (!reader.TrySkip(wireType)) return false;
                    break;
            }
        }

        Status = new Status(code <= (ulong)StatusCode.Unauthenticated ? (StatusCode)code : StatusCode.Unknown, message);
        return true;
    }
}
