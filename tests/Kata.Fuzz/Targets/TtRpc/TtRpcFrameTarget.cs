using Kata.TtRpc;

namespace Kata.Fuzz.Targets;

/// <summary>Frames and envelopes alone: whatever is accepted must be the bytes that were sent, and lie within them.</summary>
internal sealed class TtRpcFrameTarget : IFuzzTarget
{
    private const int Limit = 64 * 1024;

    public string Name => "ttrpc-frame";

    public void Run(ReadOnlySpan<byte> input)
    {
        byte[] bytes = input.ToArray();
        int piece = bytes.Length == 0 ? 1 : 1 + bytes[^1];
        ReadAsync(new FrameReader(new ScriptedStream(bytes, piece)), bytes).GetAwaiter().GetResult();
    }

    private static async Task ReadAsync(FrameReader reader, byte[] sent)
    {
        try
        {
            long total = 0;
            while (await reader.ReadHeaderAsync(default) is { } header)
            {
                total += FrameHeader.Size + header.Length;
                if (header.Length > Limit)
                {
                    await reader.DiscardAsync(header.Length, default);
                    continue;
                }

                ReceivedBytes data = await reader.ReadDataAsync((int)header.Length, default);
                if (!data.Span.SequenceEqual(sent.AsSpan((int)(total - header.Length), (int)header.Length)))
                    throw new Finding("Other bytes were read than were sent");
                Parse(data);
                data.Release();
            }
        }
        catch (TtRpcProtocolException)
        {
            // Truncated.
        }
    }

    private static void Parse(ReceivedBytes data)
    {
        if (RequestEnvelope.TryParse(data.Span, out RequestEnvelope request))
        {
            _ = data.Span.Slice(request.Service.Start, request.Service.Length);
            _ = data.Span.Slice(request.Method.Start, request.Method.Length);
            _ = data.Span.Slice(request.Payload.Start, request.Payload.Length);
            if (RequestEnvelope.ReadMetadata(data.Span).Count > request.MetadataCount) throw new Finding("Too much metadata");
        }

        if (ResponseEnvelope.TryParse(data.Span, out ResponseEnvelope response))
        {
            _ = data.Span.Slice(response.Payload.Start, response.Payload.Length);
            _ = response.Trailers(data.Span);
        }
    }
}
