using System.Buffers.Binary;
using CsCheck;
using Google.Protobuf;
using Grpc.Core;
using Kata.Testing;
using Kata.TtRpc.Tests.Envelope;

namespace Kata.TtRpc.Tests;

/// <summary>The bytes on the wire, against the specification and against the protobuf library.</summary>
public sealed class WireTests
{
    private static readonly Gen<byte[]> s_bytes = Gen.Byte.Array[0, 300];

    [Fact]
    public async Task Unary_OneCall_HasTheBytesOfTheSpecification()
    {
        (InMemoryDuplex near, InMemoryDuplex far) = InMemoryDuplex.CreatePair();
        await using var client = new TtRpcClient(near);
        Task<EchoReply> call = new Echo.EchoClient(client.CallInvoker).UnaryAsync(new EchoRequest { Text = "hi" }).ResponseAsync;

        byte[] expected =
        [
            0x00, 0x00, 0x00, 0x18, 0x00, 0x00, 0x00, 0x01, 0x01, 0x00, // 24 bytes, stream 1, request, no flags
            0x0a, 0x09, .. "test.Echo"u8,
            0x12, 0x05, .. "Unary"u8,
            0x1a, 0x04, 0x0a, 0x02, .. "hi"u8,
        ];
        byte[] sent = new byte[expected.Length];
        await far.ReadExactlyAsync(sent).AsTask().Within();
        Assert.Equal(expected, sent);

        byte[] answer =
        [
            0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, // 7 bytes, stream 1, response
            0x12, 0x05, 0x0a, 0x03, .. "you"u8,
        ];
        await far.WriteAsync(answer).AsTask().Within();
        Assert.Equal("you", (await call.Within()).Text);
    }

    [Fact]
    public async Task Serve_OneUnaryCall_AnswersWithTheBytesOfTheSpecification()
    {
        (InMemoryDuplex near, InMemoryDuplex far) = InMemoryDuplex.CreatePair();
        var server = new TtRpcServer();
        Echo.BindService(server.Services, new EchoService());
        Task serving = server.ServeAsync(far, TestContext.Current.CancellationToken);
        await near.WriteAsync(RawPeer.RequestFrame(7, "Unary", new EchoRequest { Text = "you" })).AsTask().Within();

        byte[] expected =
        [
            0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x07, 0x02, 0x00,
            0x12, 0x05, 0x0a, 0x03, .. "you"u8,
        ];
        byte[] sent = new byte[expected.Length];
        await near.ReadExactlyAsync(sent).AsTask().Within();
        Assert.Equal(expected, sent);
        await near.DisposeAsync();
        await serving.Within();
    }

    [Fact]
    public void RequestEnvelope_AnyRequest_IsWhatTheProtobufLibraryWrites() =>
        Gen.Select(Gen.String[0, 40], Gen.String[0, 40], s_bytes, Gen.Long, Gen.Bool).Sample((service, method, data, timeout, announce) =>
        {
            (service, method) = (Clean(service), Clean(method));
            var frame = new OutgoingFrame(1 << 20);
            frame.Begin(FrameType.Request, FrameFlags.None);
            var metadata = new Metadata { { "containerd-namespace-ttrpc", "k8s.io" }, { "x-bin", data } };
            RequestEnvelope.WriteMethod(frame, new MethodName(service, method));
            frame.BeginMessage(RequestEnvelope.PayloadField);
            BytesMarshaller(announce).ContextualSerializer(data, frame);
            frame.EndMessage();
            RequestEnvelope.WriteRest(frame, timeout, metadata);
            byte[] written = frame.Finish(1)[FrameHeader.Size..].ToArray();

            Request parsed = Request.Parser.ParseFrom(written);
            Assert.Equal(written, parsed.ToByteArray());
            Assert.Equal((service, method, timeout), (parsed.Service, parsed.Method, parsed.TimeoutNano));
            Assert.Equal(data, parsed.Payload.ToByteArray());

            Assert.True(RequestEnvelope.TryParse(written, out RequestEnvelope envelope));
            Assert.Equal(data, written.AsSpan(envelope.Payload.Start, envelope.Payload.Length).ToArray());
            Assert.Equal(timeout, envelope.TimeoutNanoseconds);
            Metadata read = RequestEnvelope.ReadMetadata(written);
            Assert.Equal("k8s.io", read.GetValue("containerd-namespace-ttrpc"));
            Assert.Equal(data, read.GetValueBytes("x-bin"));
        });

    [Fact]
    public void ResponseEnvelope_AnyStatus_IsReadAsWritten() =>
        Gen.Select(Gen.Int[1, 16], Gen.String[0, 60]).Sample((code, text) =>
        {
            text = Clean(text);
            var frame = new OutgoingFrame(1 << 20);
            frame.Begin(FrameType.Response, FrameFlags.None);
            ResponseEnvelope.WriteStatus(frame, new Grpc.Core.Status((StatusCode)code, text), null);
            byte[] written = frame.Finish(1)[FrameHeader.Size..].ToArray();
            Assert.Equal(written, new Response { Status = new Envelope.Status { Code = code, Message = text } }.ToByteArray());
            Assert.True(ResponseEnvelope.TryParse(written, out ResponseEnvelope envelope));
            Assert.Equal(((StatusCode)code, text), (envelope.Status.StatusCode, envelope.Status.Detail));
            Assert.Empty(envelope.Trailers(written));
        });

    [Fact]
    public void Envelopes_AnyBytes_NeverThrowAndAgreeWithTheLibrary() =>
        s_bytes.Sample(data =>
        {
            bool ours = RequestEnvelope.TryParse(data, out _);
            RequestEnvelope.ReadMetadata(data);
            if (ResponseEnvelope.TryParse(data, out ResponseEnvelope response)) response.Trailers(data);
            // The library also refuses text that is not UTF-8 and accepts groups; it may be stricter, never looser about lengths.
            if (!ours || data.Length == 0) return;
            try
            {
                Request.Parser.ParseFrom(data);
            }
            catch (InvalidProtocolBufferException exception)
            {
                Assert.DoesNotContain("truncated", exception.Message);
            }
        });

    [Fact]
    public async Task FrameReader_AnyFramesInAnyPieces_ComeOutWhole() =>
        await Gen.Select(
            Gen.Select(Gen.UInt, Gen.Byte, Gen.Byte, Gen.OneOf(s_bytes, Gen.Byte.Array[7_000, 200_000])).Array[1, 6],
            Gen.Int[1, 20_000].Array[1, 20],
            Gen.Bool).SampleAsync(async (frames, pieces, discard) =>
        {
            byte[] wire = [.. frames.SelectMany(f => RawPeer.Frame(f.Item1, f.Item2, f.Item3, f.Item4))];
            var reader = new FrameReader(new ChunkedStream(wire, pieces));
            foreach ((uint streamId, byte type, byte flags, byte[] data) in frames)
            {
                FrameHeader header = (await reader.ReadHeaderAsync(default))!.Value;
                Assert.Equal(new FrameHeader((uint)data.Length, streamId, (FrameType)type, (FrameFlags)flags), header);
                if (discard)
                {
                    await reader.DiscardAsync(header.Length, default);
                    continue;
                }

                ReceivedBytes read = await reader.ReadDataAsync(data.Length, default);
                Assert.True(read.Span.SequenceEqual(data));
                read.Release();
            }

            Assert.Null(await reader.ReadHeaderAsync(default));
        }, iter: 60);

    [Fact]
    public async Task FrameReader_BufferedReadCrossesTheArraysEnd_KeepsTheRest()
    {
        byte[] data = new byte[200_000];
        Random.Shared.NextBytes(data);
        // 8182 bytes of data come with the header; 50000 leave 7354 of the first 64 KiB, which a buffered read of 8192 overshoots.
        var reader = new FrameReader(new ChunkedStream(RawPeer.Frame(1, 1, 0, data), [8192, 50_000, 8192]));
        FrameHeader header = (await reader.ReadHeaderAsync(default))!.Value;
        ReceivedBytes read = await reader.ReadDataAsync((int)header.Length, default);
        Assert.True(read.Span.SequenceEqual(data));
    }

    [Fact]
    public async Task FrameReader_LargeLengthFewBytes_AllocatesForTheBytesOnly()
    {
        byte[] wire = RawPeer.Frame(1, 1, 0, new byte[100], 1u << 30);
        var reader = new FrameReader(new ChunkedStream(wire, [64]));
        long before = GC.GetAllocatedBytesForCurrentThread();
        FrameHeader header = (await reader.ReadHeaderAsync(default))!.Value;
        await Assert.ThrowsAsync<TtRpcProtocolException>(() => reader.ReadDataAsync((int)header.Length, default).AsTask());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1024 * 1024);
    }

    [Fact]
    public void FrameHeader_Written_IsBigEndian()
    {
        byte[] bytes = new byte[10];
        new FrameHeader(0x01020304, 0x05060708, FrameType.Data, FrameFlags.RemoteClosed).Write(bytes);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 3, 1], bytes);
        Assert.Equal(0x01020304u, BinaryPrimitives.ReadUInt32BigEndian(bytes));
    }

    /// <summary>Lone surrogates cannot be written as UTF-8.</summary>
    private static string Clean(string text) => new([.. text.Where(c => !char.IsSurrogate(c))]);

    private static Marshaller<byte[]> BytesMarshaller(bool announceLength) => Marshallers.Create<byte[]>(
        (value, context) =>
        {
            if (announceLength)
            {
                context.Complete(value);
                return;
            }

            var writer = context.GetBufferWriter();
            foreach (byte b in value)
            {
                writer.GetSpan(1)[0] = b;
                writer.Advance(1);
            }

            context.Complete();
        },
        context => context.PayloadAsNewBuffer());
}
