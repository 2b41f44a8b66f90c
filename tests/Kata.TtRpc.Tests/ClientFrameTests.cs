using Google.Protobuf;
using Grpc.Core;
using Kata.Testing;
using static Kata.TtRpc.Tests.RawPeer;

namespace Kata.TtRpc.Tests;

/// <summary>What a client does with frames that a good server would not send.</summary>
public sealed class ClientFrameTests
{
    private const byte RemoteClosed = 1;
    private const byte NoData = 4;

    private static readonly byte[] s_good = ResponseFrame(1, new EchoReply { Number = 5 });

    /// <summary>Frames after which the connection ends, and a part of the reason.</summary>
    public static TheoryData<string, byte[], string> Violations => new()
    {
        { "type 0", Frame(1, 0, 0, []), "type 0" },
        { "type 1, a request", Frame(1, 1, 0, []), "type 1" },
        { "type 255", Frame(1, 255, 255, []), "type 255" },
        { "stream 0", Frame(0, 2, 0, []), "even" },
        { "even stream", Frame(2, 2, 0, []), "even" },
        { "stream of a call to come", Frame(3, 2, 0, []), "no call has that stream id" },
        { "largest stream", Frame(uint.MaxValue, 3, 0, []), "no call has that stream id" },
        { "text", "Linux version 6.1 (x)"u8.ToArray(), "on stream" },
        { "header cut", s_good[..9], "9 of 10 header bytes" },
        { "data cut", s_good[..^1], "data bytes" },
    };

    /// <summary>Frames that fail a unary call, after which the connection still works.</summary>
    public static TheoryData<string, byte[], StatusCode> Failures => new()
    {
        { "not an envelope", Frame(1, 2, 0, [0xff, 0xff]), StatusCode.Internal },
        { "status beyond the end", Frame(1, 2, 0, [0x0a, 0x7f]), StatusCode.Internal },
        { "status is not protobuf", Frame(1, 2, 0, [0x0a, 0x01, 0xff]), StatusCode.Internal },
        { "message is not protobuf", Frame(1, 2, 0, [0x12, 0x01, 0xff]), StatusCode.Internal },
        { "data for a unary call", Frame(1, 3, 0, []), StatusCode.Internal },
        { "unknown status code", Frame(1, 2, 0, [0x0a, 0x02, 0x08, 0x63]), StatusCode.Unknown },
        { "negative status code", Frame(1, 2, 0, [0x0a, 0x0b, 0x08, .. Enumerable.Repeat((byte)0xff, 9), 0x01]), StatusCode.Unknown },
        { "status text is not UTF-8", Frame(1, 2, 0, [0x0a, 0x04, 0x08, 0x05, 0x12, 0x00]), StatusCode.NotFound },
        { "response too large", Frame(1, 2, 0, new byte[5000]), StatusCode.ResourceExhausted },
    };

    [Theory]
    [MemberData(nameof(Violations))]
    public async Task Receive_FrameAgainstTheProtocol_EndsTheConnection(string name, byte[] bytes, string reason)
    {
        Assert.NotEmpty(name);
        using RawPeer server = Start(out TtRpcClient client, out Echo.EchoClient echo);
        Task<EchoReply> call = echo.UnaryAsync(new EchoRequest()).ResponseAsync;
        Task<bool> closed = call.ContinueWith(
            _ => client.IsClosed, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await server.ReadAsync();
        await server.WriteAsync(bytes);
        server.CloseWriting();

        RpcException failed = await Assert.ThrowsAsync<RpcException>(() => call.Within());
        Assert.Equal(StatusCode.Unavailable, failed.StatusCode);
        Assert.Contains(reason, failed.Status.Detail);
        Assert.True(await closed);
        TtRpcProtocolException exception = await Assert.ThrowsAsync<TtRpcProtocolException>(() => client.Completion.Within());
        Assert.Contains(reason, exception.Message);
        RpcException late = await Assert.ThrowsAsync<RpcException>(() => echo.UnaryAsync(new EchoRequest()).ResponseAsync.Within());
        Assert.Equal(StatusCode.Unavailable, late.StatusCode);
        await client.DisposeAsync().AsTask().Within();
    }

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Receive_FrameWithMistake_FailsThatCallOnly(string name, byte[] bytes, StatusCode code)
    {
        Assert.NotEmpty(name);
        using RawPeer server = Start(out TtRpcClient client, out Echo.EchoClient echo, new TtRpcOptions { MaxMessageSize = 4096 });
        Task call = echo.UnaryAsync(new EchoRequest()).ResponseAsync;
        await server.ReadAsync();
        await server.WriteAsync(bytes);
        Assert.Equal(code, (await Assert.ThrowsAsync<RpcException>(() => call.Within())).StatusCode);

        Task<EchoReply> next = echo.UnaryAsync(new EchoRequest()).ResponseAsync;
        (uint streamId, _, _, _) = await server.ReadAsync();
        await server.WriteAsync(ResponseFrame(streamId, new EchoReply { Number = 9 }));
        Assert.Equal(9, (await next.Within()).Number);
        await client.DisposeAsync().AsTask().Within();
    }

    [Fact]
    public async Task Receive_4GiBDeclaredThenTheEnd_FailsTheCallThenTheConnection()
    {
        using RawPeer server = Start(out TtRpcClient client, out Echo.EchoClient echo);
        Task call = echo.UnaryAsync(new EchoRequest()).ResponseAsync;
        await server.ReadAsync();
        await server.WriteAsync(Frame(1, 2, 0, [1, 2, 3], uint.MaxValue));
        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(() => call.Within())).StatusCode);
        server.CloseWriting();
        TtRpcProtocolException exception = await Assert.ThrowsAsync<TtRpcProtocolException>(() => client.Completion.Within());
        Assert.Contains("3 of 4294967295", exception.Message);
        await client.DisposeAsync().AsTask().Within();
    }

    [Fact]
    public async Task Receive_ResponseTwice_TheSecondIsDropped()
    {
        using RawPeer server = Start(out TtRpcClient client, out Echo.EchoClient echo);
        Task<EchoReply> call = echo.UnaryAsync(new EchoRequest()).ResponseAsync;
        await server.ReadAsync();
        await server.WriteAsync(s_good, ResponseFrame(1, new EchoReply { Number = 6 }), Frame(1, 3, 0, new byte[10]));
        Assert.Equal(5, (await call.Within()).Number);

        Task<EchoReply> next = echo.UnaryAsync(new EchoRequest()).ResponseAsync;
        Assert.Equal(3u, (await server.ReadAsync()).StreamId);
        await server.WriteAsync(ResponseFrame(3, new EchoReply { Number = 7 }));
        Assert.Equal(7, (await next.Within()).Number);
        await client.DisposeAsync().AsTask().Within();
    }

    [Fact]
    public async Task Receive_AnswersInOtherOrder_EachCallGetsItsOwn()
    {
        using RawPeer server = Start(out TtRpcClient client, out Echo.EchoClient echo);
        Task<EchoReply> first = echo.UnaryAsync(new EchoRequest()).ResponseAsync;
        Task<EchoReply> second = echo.UnaryAsync(new EchoRequest()).ResponseAsync;
        Assert.Equal(1u, (await server.ReadAsync()).StreamId);
        Assert.Equal(3u, (await server.ReadAsync()).StreamId);
        await server.WriteAsync(ResponseFrame(3, new EchoReply { Number = 3 }), s_good);
        Assert.Equal((5, 3), ((await first.Within()).Number, (await second.Within()).Number));
        await client.DisposeAsync().AsTask().Within();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Receive_StreamEndedByResponse_GivesItsMessageIfAny(bool withMessage)
    {
        using RawPeer server = Start(out TtRpcClient client, out Echo.EchoClient echo);
        using AsyncServerStreamingCall<EchoReply> call = echo.Repeat(new EchoRequest());
        Assert.Equal(RemoteClosed, (await server.ReadAsync()).Flags);
        await server.WriteAsync(
            Frame(1, 3, 0, new EchoReply { Number = 1 }.ToByteArray()),
            ResponseFrame(1, withMessage ? new EchoReply { Number = 2 } : new EchoReply()));
        Assert.True(await call.ResponseStream.MoveNext().Within());
        Assert.Equal(withMessage, await call.ResponseStream.MoveNext().Within());
        if (withMessage) Assert.Equal(2, call.ResponseStream.Current.Number);
        Assert.False(withMessage && await call.ResponseStream.MoveNext().Within());
        await client.DisposeAsync().AsTask().Within();
    }

    [Fact]
    public async Task Receive_LastDataWithMessage_GivesItThenEnds()
    {
        using RawPeer server = Start(out TtRpcClient client, out Echo.EchoClient echo);
        using AsyncServerStreamingCall<EchoReply> call = echo.Repeat(new EchoRequest());
        await server.ReadAsync();
        await server.WriteAsync(Frame(1, 3, RemoteClosed, new EchoReply { Number = 1 }.ToByteArray()), Frame(1, 3, NoData, []));
        Assert.True(await call.ResponseStream.MoveNext().Within());
        Assert.False(await call.ResponseStream.MoveNext().Within());
        await client.DisposeAsync().AsTask().Within();
    }

    [Fact]
    public async Task Receive_BadMessageInStream_FailsTheStream()
    {
        using RawPeer server = Start(out TtRpcClient client, out Echo.EchoClient echo);
        using AsyncServerStreamingCall<EchoReply> call = echo.Repeat(new EchoRequest());
        await server.ReadAsync();
        await server.WriteAsync(Frame(1, 3, 0, [0xff]));
        Assert.Equal(
            StatusCode.Internal, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext().Within())).StatusCode);
        Assert.Equal(StatusCode.Internal, call.GetStatus().StatusCode);
        await client.DisposeAsync().AsTask().Within();
    }

    private static RawPeer Start(out TtRpcClient client, out Echo.EchoClient echo, TtRpcOptions? options = null)
    {
        (InMemoryDuplex near, InMemoryDuplex far) = InMemoryDuplex.CreatePair();
        client = new TtRpcClient(near, options);
        echo = new Echo.EchoClient(client.CallInvoker);
        return new RawPeer(far);
    }
}
