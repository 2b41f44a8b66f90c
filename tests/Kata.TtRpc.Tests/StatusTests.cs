using Google.Protobuf;
using Grpc.Core;
using Kata.Testing;

namespace Kata.TtRpc.Tests;

/// <summary>How calls fail, and what of it the other side learns.</summary>
public sealed class StatusTests
{
    [Theory]
    [InlineData("by exception", StatusCode.NotFound, StatusCode.NotFound, "by exception")]
    [InlineData("status", StatusCode.Aborted, StatusCode.Aborted, "by status")]
    [InlineData("exception", StatusCode.OK, StatusCode.Unknown, "the handler fell over")]
    [InlineData("ünïcode", StatusCode.FailedPrecondition, StatusCode.FailedPrecondition, "ünïcode")]
    public async Task Handler_Fails_ClientGetsTheStatus(string text, StatusCode thrown, StatusCode code, string detail)
    {
        await using var echo = new EchoConnection();
        var request = new EchoRequest { Text = text, Number = (int)thrown };
        AsyncUnaryCall<EchoReply> call = echo.Client.FailAsync(request);
        RpcException exception = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Within());
        Assert.Equal((code, detail), (exception.StatusCode, exception.Status.Detail));
        Assert.Equal(code, call.GetStatus().StatusCode);
        Assert.Equal(1, (await echo.Client.UnaryAsync(new EchoRequest { Number = 1 }).ResponseAsync.Within()).Number);
    }

    [Fact]
    public async Task Handler_ReturnsNull_FailsThatCall()
    {
        await using var echo = new EchoConnection();
        RpcException exception = await Assert.ThrowsAsync<RpcException>(
            () => echo.Client.FailAsync(new EchoRequest { Text = "null" }).ResponseAsync.Within());
        Assert.Equal(StatusCode.Unknown, exception.StatusCode);
    }

    [Fact]
    public async Task Handler_ThrowsUnexpectedly_ListenerIsToldAndMayThrow()
    {
        var told = new TaskCompletionSource<(string Method, Exception Exception)>();
        await using var echo = new EchoConnection(serverOptions: new TtRpcOptions
        {
            HandlerFailed = (method, exception) =>
            {
                told.SetResult((method, exception));
                throw new InvalidOperationException("ignored");
            },
        });
        await Assert.ThrowsAsync<RpcException>(() => echo.Client.FailAsync(new EchoRequest { Text = "exception" }).ResponseAsync.Within());
        (string method, Exception exception) = await told.Task.Within();
        Assert.Equal("/test.Echo/Fail", method);
        Assert.IsType<InvalidDataException>(exception);
    }

    [Fact]
    public async Task Headers_TextAndBinary_ReachTheHandler()
    {
        await using var echo = new EchoConnection();
        var headers = new Metadata
        {
            { "containerd-namespace-ttrpc", "k8s.io" }, { "empty", "" }, { "key-bin", [0, 1, 255] }, { "key", "a" }, { "key", "b" },
        };
        await echo.Client.UnaryAsync(new EchoRequest(), headers).ResponseAsync.Within();
        Assert.True(echo.Service.Contexts.TryDequeue(out ServerCallContext? context));
        Assert.Equal("k8s.io", context.RequestHeaders.GetValue("containerd-namespace-ttrpc"));
        Assert.Equal("", context.RequestHeaders.GetValue("empty"));
        Assert.Equal([0, 1, 255], context.RequestHeaders.GetValueBytes("key-bin"));
        Assert.Equal(["a", "b"], context.RequestHeaders.GetAll("key").Select(e => e.Value));
        Assert.Equal("/test.Echo/Unary", context.Method);
        Assert.Equal(DateTime.MaxValue, context.Deadline);
    }

    [Fact]
    public async Task Request_TooLarge_FailsBeforeItIsSent()
    {
        await using var echo = new EchoConnection(new TtRpcOptions { MaxMessageSize = 1000 });
        RpcException exception = await Assert.ThrowsAsync<RpcException>(() => echo.Client.UnaryAsync(Large()).ResponseAsync.Within());
        Assert.Equal(StatusCode.ResourceExhausted, exception.StatusCode);
        Assert.Contains("raise MaxMessageSize", exception.Status.Detail);
        Assert.Equal(1, (await echo.Client.UnaryAsync(new EchoRequest { Number = 1 }).ResponseAsync.Within()).Number);
        Assert.Single(echo.Service.Contexts);
    }

    [Fact]
    public async Task StreamMessage_TooLarge_FailsThatCall()
    {
        await using var echo = new EchoConnection(new TtRpcOptions { MaxMessageSize = 1000 });
        using AsyncClientStreamingCall<EchoRequest, EchoReply> call = echo.Client.Collect();
        await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(Large()).Within());
        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Within())).StatusCode);
        Assert.Equal(1, (await echo.Client.UnaryAsync(new EchoRequest { Number = 1 }).ResponseAsync.Within()).Number);
    }

    [Theory]
    [InlineData("large", StatusCode.ResourceExhausted)]
    [InlineData("large error", StatusCode.NotFound)] // the code is what matters; the text is replaced
    public async Task Response_TooLargeForTheServer_FailsThatCall(string text, StatusCode code)
    {
        await using var echo = new EchoConnection(serverOptions: new TtRpcOptions { MaxMessageSize = 1000 });
        RpcException exception = await Assert.ThrowsAsync<RpcException>(
            () => echo.Client.FailAsync(new EchoRequest { Text = text, Number = 1000 }).ResponseAsync.Within());
        Assert.Equal(code, exception.StatusCode);
        Assert.Contains("the limit is 1000 bytes", exception.Status.Detail);
        Assert.Equal(1, (await echo.Client.UnaryAsync(new EchoRequest { Number = 1 }).ResponseAsync.Within()).Number);
    }

    [Fact]
    public async Task StreamRequest_TooLargeForTheServer_FailsThatCall()
    {
        await using var echo = new EchoConnection(serverOptions: new TtRpcOptions { MaxMessageSize = 1048 });
        using AsyncServerStreamingCall<EchoReply> call = echo.Client.Repeat(new EchoRequest { Number = 1, Text = new string('x', 2000) });
        Assert.Equal(
            StatusCode.ResourceExhausted,
            (await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext().Within())).StatusCode);
    }

    [Theory]
    [InlineData("large")]
    [InlineData("large error")]
    public async Task Response_TooLargeForTheClient_FailsThatCall(string text)
    {
        await using var echo = new EchoConnection(new TtRpcOptions { MaxMessageSize = 1000 });
        RpcException exception = await Assert.ThrowsAsync<RpcException>(
            () => echo.Client.FailAsync(new EchoRequest { Text = text, Number = 1000 }).ResponseAsync.Within());
        Assert.Equal(StatusCode.ResourceExhausted, exception.StatusCode);
        Assert.Contains("raise MaxMessageSize", exception.Status.Detail);
        Assert.Equal(1, (await echo.Client.UnaryAsync(new EchoRequest { Number = 1 }).ResponseAsync.Within()).Number);
    }

    [Fact]
    public async Task Client_TooManyCalls_TheNextFailsAtOnce()
    {
        await using var echo = new EchoConnection(new TtRpcOptions { MaxConcurrentStreams = 2 });
        AsyncUnaryCall<EchoReply> one = echo.Client.WaitAsync(new EchoRequest());
        AsyncUnaryCall<EchoReply> two = echo.Client.WaitAsync(new EchoRequest());
        RpcException exception =
            await Assert.ThrowsAsync<RpcException>(() => echo.Client.UnaryAsync(new EchoRequest()).ResponseAsync.Within());
        Assert.Equal(StatusCode.ResourceExhausted, exception.StatusCode);
        one.Dispose();
        await echo.Client.UnaryAsync(new EchoRequest()).ResponseAsync.Within();
        two.Dispose();
    }

    [Fact]
    public async Task Status_WithDetails_TravelsWhole()
    {
        (InMemoryDuplex near, InMemoryDuplex far) = InMemoryDuplex.CreatePair();
        using var server = new RawPeer(far);
        await using var client = new TtRpcClient(near);
        Task call = new Echo.EchoClient(client.CallInvoker).UnaryAsync(new EchoRequest()).ResponseAsync;
        await server.ReadAsync();
        var status = new Envelope.Status { Code = 5, Message = "no", Details = { ByteString.CopyFromUtf8("any") } };
        await server.WriteAsync(RawPeer.Frame(1, 2, 0, new Envelope.Response { Status = status }.ToByteArray()));
        RpcException exception = await Assert.ThrowsAsync<RpcException>(() => call.Within());
        Assert.Equal(status.ToByteArray(), exception.Trailers.GetValueBytes("grpc-status-details-bin"));
    }

    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(1, 0, 1)]
    [InlineData(1, 1, 0)]
    public void Options_NotPositive_AreRefused(int message, int streams, int queued) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new TtRpcServer(
            new TtRpcOptions { MaxMessageSize = message, MaxConcurrentStreams = streams, MaxQueuedBytes = queued }));

    [Fact]
    public void Services_BoundTwice_IsRefused()
    {
        var server = new TtRpcServer();
        Echo.BindService(server.Services, new EchoService());
        Assert.Contains("Bind each service once",
            Assert.Throws<InvalidOperationException>(() => Echo.BindService(server.Services, new EchoService())).Message);
    }

    private static EchoRequest Large() => new() { Data = ByteString.CopyFrom(new byte[2000]) };
}
