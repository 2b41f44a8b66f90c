using Google.Protobuf;
using Grpc.Core;
using Kata.Testing;
using static Kata.TtRpc.Tests.RawPeer;

namespace Kata.TtRpc.Tests;

/// <summary>What a server does with frames that a good client would not send.</summary>
public sealed class ServerFrameTests
{
    private const byte RemoteClosed = 1;
    private const byte RemoteOpen = 2;
    private const byte NoData = 4;

    private static readonly byte[] s_good = RequestFrame(1, "Unary", new EchoRequest { Number = 5 });

    /// <summary>Frames after which the connection ends, and a part of the reason.</summary>
    public static TheoryData<string, byte[], string> Violations => new()
    {
        { "type 0", Frame(1, 0, 0, []), "type 0" },
        { "type 2, a response", Frame(1, 2, 0, []), "type 2" },
        { "type 4", Frame(1, 4, 0, []), "type 4" },
        { "type 255", Frame(1, 255, 255, []), "type 255" },
        { "stream 0", Frame(0, 1, 0, []), "even" },
        { "even stream", Frame(2, 1, 0, []), "even" },
        { "largest even stream", Frame(uint.MaxValue - 1, 1, 0, []), "even" },
        { "data before a request", Frame(1, 3, 0, []), "no request opened" },
        { "data on a later stream", [.. s_good, .. Frame(3, 3, 0, [])], "no request opened" },
        { "stream used again", [.. s_good, .. s_good], "must rise" },
        { "stream id that falls", [.. RequestFrame(5, "Unary"), .. s_good], "must rise" },
        { "text", "Linux version 6.1 (x)"u8.ToArray(), "on stream" },
        { "header cut", s_good[..9], "9 of 10 header bytes" },
        { "data cut", s_good[..^1], "data bytes" },
        { "4 GiB declared, then the end", Frame(1, 1, 0, [1, 2, 3], uint.MaxValue), "3 of 4294967295" },
    };

    /// <summary>Frames that are answered with an error, after which the connection still works.</summary>
    public static TheoryData<string, byte[], StatusCode> Refusals => new()
    {
        { "empty request", Frame(1, 1, 0, []), StatusCode.Unimplemented },
        { "not an envelope", Frame(1, 1, 0, [0xff, 0xff, 0xff]), StatusCode.InvalidArgument },
        { "envelope field beyond the end", Frame(1, 1, 0, [0x0a, 0x7f, 0x41]), StatusCode.InvalidArgument },
        { "varint that never ends", Frame(1, 1, 0, [.. Enumerable.Repeat((byte)0x80, 20)]), StatusCode.InvalidArgument },
        { "field number 0", Frame(1, 1, 0, [0x02, 0x00]), StatusCode.InvalidArgument },
        { "group", Frame(1, 1, 0, [0x0b, 0x0c]), StatusCode.InvalidArgument },
        { "unknown method", RequestFrame(1, "Nothing"), StatusCode.Unimplemented },
        { "not implemented", RequestFrame(1, "Missing"), StatusCode.Unimplemented },
        { "very long method", RequestFrame(1, new string('\u001b', 100_000)), StatusCode.Unimplemented },
        { "message is not protobuf", RequestFrame(1, "Unary", new byte[] { 0xff }), StatusCode.InvalidArgument },
        { "message nested too deep", RequestFrame(1, "Unary", Nested(500)), StatusCode.InvalidArgument },
        { "open stream for a unary method", RequestFrame(1, "Unary", flags: RemoteOpen), StatusCode.InvalidArgument },
        { "negative time-out", RequestFrame(1, "Unary", timeout: -1), StatusCode.DeadlineExceeded },
        { "data for a unary call", [.. RequestFrame(1, "Wait"), .. Frame(1, 3, 0, [])], StatusCode.InvalidArgument },
        { "data after the last", [.. RequestFrame(1, "Wait", flags: RemoteClosed), .. Frame(1, 3, 0, [])], StatusCode.InvalidArgument },
        {
            "stream message is not protobuf",
            [.. RequestFrame(1, "Collect", flags: RemoteOpen), .. Frame(1, 3, 0, [0xff])],
            StatusCode.InvalidArgument
        },
        { "request too large", Frame(1, 1, 0, new byte[5000]), StatusCode.ResourceExhausted },
        {
            "data too large",
            [.. RequestFrame(1, "Collect", flags: RemoteOpen), .. Frame(1, 3, 0, new byte[5000])],
            StatusCode.ResourceExhausted
        },
        {
            "too many metadata entries",
            Frame(1, 1, 0, Enumerable.Repeat<byte[]>([0x2a, 0x00], 1025).SelectMany(b => b).ToArray()),
            StatusCode.InvalidArgument
        },
    };

    [Theory]
    [MemberData(nameof(Violations))]
    public async Task Serve_FrameAgainstTheProtocol_EndsTheConnection(string name, byte[] bytes, string reason)
    {
        Assert.NotEmpty(name);
        using RawPeer client = Start(out Task serving);
        await client.WriteAsync(bytes);
        client.CloseWriting();
        TtRpcProtocolException exception = await Assert.ThrowsAsync<TtRpcProtocolException>(() => serving.Within());
        Assert.Contains(reason, exception.Message);
        while (await client.ReadByteAsync() >= 0)
        {
            // An answer to the good frame before; then the end.
        }
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Serve_FrameWithMistake_FailsThatCallOnly(string name, byte[] bytes, StatusCode code)
    {
        Assert.NotEmpty(name);
        int limit = name.StartsWith("very", StringComparison.Ordinal) ? 200_000 : 4096;
        using RawPeer client = Start(out Task serving, new TtRpcOptions { MaxMessageSize = limit });
        await client.WriteAsync(bytes);
        (uint streamId, Envelope.Response response) = await client.ReadResponseAsync();
        Assert.Equal((1u, code), (streamId, (StatusCode)response.Status.Code));
        Assert.DoesNotContain('\u001b', response.Status.Message);
        Assert.InRange(response.Status.Message.Length, 1, 1000);

        await client.WriteAsync(RequestFrame(11, "Unary", new EchoRequest { Number = 9 }));
        (streamId, response) = await client.ReadResponseAsync();
        Assert.Equal((11u, 9), (streamId, EchoReply.Parser.ParseFrom(response.Payload).Number));
        client.Dispose();
        await serving.Within();
    }

    [Fact]
    public async Task Serve_LateData_IsDropped()
    {
        using RawPeer client = Start(out _);
        await client.WriteAsync(s_good);
        await client.ReadResponseAsync();
        await client.WriteAsync(Frame(1, 3, 0, [1, 2, 3]), Frame(1, 3, RemoteClosed | NoData, []), Frame(1, 3, 0, new byte[100]));
        await client.WriteAsync(RequestFrame(3, "Unary", new EchoRequest { Number = 3 }));
        Assert.Equal(3u, (await client.ReadResponseAsync()).StreamId);
    }

    [Fact]
    public async Task Serve_TooManyStreams_RefusesTheNextOnly()
    {
        using RawPeer client = Start(out _, new TtRpcOptions { MaxConcurrentStreams = 2 });
        await client.WriteAsync(RequestFrame(1, "Wait"), RequestFrame(3, "Collect", flags: RemoteOpen), RequestFrame(5, "Unary"));
        (uint streamId, Envelope.Response response) = await client.ReadResponseAsync();
        Assert.Equal((5u, StatusCode.ResourceExhausted), (streamId, (StatusCode)response.Status.Code));
        await client.WriteAsync(Frame(3, 3, RemoteClosed | NoData, []));
        Assert.Equal(3u, (await client.ReadResponseAsync()).StreamId);
    }

    [Fact]
    public async Task Serve_TooManyRequestBytes_RefusesTheNextOnly()
    {
        using RawPeer client = Start(out _, new TtRpcOptions { MaxQueuedBytes = 10_000 });
        var large = new EchoRequest { Data = ByteString.CopyFrom(new byte[8000]) };
        await client.WriteAsync(RequestFrame(1, "Wait", large), RequestFrame(3, "Wait", large));
        (uint streamId, Envelope.Response response) = await client.ReadResponseAsync();
        Assert.Equal((3u, StatusCode.ResourceExhausted), (streamId, (StatusCode)response.Status.Code));
        await client.WriteAsync(RequestFrame(5, "Unary"));
        Assert.Equal(5u, (await client.ReadResponseAsync()).StreamId);
    }

    [Theory]
    [InlineData(0, 1)] // a client that knows no streams: its message is the only one
    [InlineData(RemoteClosed, 0)]
    public async Task Serve_StreamMethodWithoutOpenStream_HasNoMoreMessages(byte flags, int messages)
    {
        using RawPeer client = Start(out _);
        await client.WriteAsync(RequestFrame(1, "Collect", flags: flags));
        (_, Envelope.Response response) = await client.ReadResponseAsync();
        Assert.Equal(messages, EchoReply.Parser.ParseFrom(response.Payload).Number);
    }

    [Fact]
    public async Task Serve_FirstMessageInTheRequestAndDataWithTheLastFlag_AreBothRead()
    {
        using RawPeer client = Start(out _);
        await client.WriteAsync(
            RequestFrame(1, "Collect", new EchoRequest { Text = "a" }, RemoteOpen),
            Frame(1, 3, 0, new EchoRequest { Text = "b" }.ToByteArray()),
            Frame(1, 3, RemoteClosed, new EchoRequest { Text = "c" }.ToByteArray()));
        (_, Envelope.Response response) = await client.ReadResponseAsync();
        Assert.Equal("abc", EchoReply.Parser.ParseFrom(response.Payload).Text);
    }

    [Fact]
    public async Task Serve_OneByteAtATime_Works()
    {
        using RawPeer client = Start(out _);
        foreach (byte b in s_good)
            await client.WriteAsync([b]);
        Assert.Equal(1u, (await client.ReadResponseAsync()).StreamId);
    }

    [Fact]
    public async Task Serve_ClientDoesNotReadItsAnswers_StopsReadingTheClient()
    {
        using RawPeer client = Start(out _, bufferSize: 4096);
        Task flood = Task.Run(async () =>
        {
            for (uint id = 1; id < 100_000; id += 2)
            {
                byte[] frame = RequestFrame(id, "Nothing");
                await client.WriteAsync(frame);
            }
        });
        // The limit inside WriteAsync ends the flood: nobody takes the frames any more.
        await Assert.ThrowsAsync<TimeoutException>(() => flood.WaitAsync(TimeSpan.FromSeconds(1)));
        client.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => flood.Within());
    }

    private static RawPeer Start(out Task serving, TtRpcOptions? options = null, int bufferSize = 64 * 1024)
    {
        (InMemoryDuplex near, InMemoryDuplex far) = InMemoryDuplex.CreatePair(bufferSize);
        var server = new TtRpcServer(options);
        Echo.BindService(server.Services, new EchoService());
        serving = server.ServeAsync(far, TestContext.Current.CancellationToken);
        return new RawPeer(near);
    }

    private static byte[] Nested(int depth)
    {
        // Unknown field 15 as nested groups: the parser must count its own depth.
        return [.. Enumerable.Repeat((byte)0x7b, depth), .. Enumerable.Repeat((byte)0x7c, depth)];
    }
}
