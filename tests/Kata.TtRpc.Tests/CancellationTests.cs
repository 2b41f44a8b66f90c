using Grpc.Core;
using Kata.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Kata.TtRpc.Tests;

/// <summary>Deadlines and cancellation, at both ends.</summary>
public sealed class CancellationTests
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task Deadline_Passes_EndsTheCallAtBothEnds()
    {
        await using EchoConnection echo = Connect();
        AsyncUnaryCall<EchoReply> call = echo.Client.WaitAsync(new EchoRequest(), deadline: In(5));
        await echo.Service.WaitStarted.Task.Within();
        Assert.True(echo.Service.Contexts.TryPeek(out ServerCallContext? context));
        Assert.Equal(In(5), context.Deadline);

        _clock.Advance(TimeSpan.FromSeconds(4));
        Assert.False(call.ResponseAsync.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Within())).StatusCode);
        await echo.Service.WaitCancelled.Task.Within();
    }

    [Fact]
    public async Task Deadline_NotTold_EndsTheCallHereAlone()
    {
        await using EchoConnection echo = new(
            new TtRpcOptions { TimeProvider = _clock, TellsDeadlines = false }, new TtRpcOptions { TimeProvider = _clock });
        AsyncUnaryCall<EchoReply> call = echo.Client.WaitAsync(new EchoRequest(), deadline: In(5));
        await echo.Service.WaitStarted.Task.Within();
        Assert.True(echo.Service.Contexts.TryPeek(out ServerCallContext? context));
        Assert.Equal(DateTime.MaxValue, context.Deadline);

        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.True(TtRpcClient.IsOwnDeadline(await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Within())));
        Assert.False(echo.Service.WaitCancelled.Task.IsCompleted);
    }

    [Fact]
    public async Task Deadline_HandlerAnswersFirst_NoTimerIsLeft()
    {
        await using EchoConnection echo = Connect();
        Assert.Equal(3, (await echo.Client.UnaryAsync(new EchoRequest { Number = 3 }, deadline: In(5)).ResponseAsync.Within()).Number);
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(4, (await echo.Client.UnaryAsync(new EchoRequest { Number = 4 }).ResponseAsync.Within()).Number);
    }

    [Fact]
    public async Task Deadline_PassedBefore_NothingIsSent()
    {
        await using EchoConnection echo = Connect();
        RpcException exception = await Assert.ThrowsAsync<RpcException>(
            () => echo.Client.UnaryAsync(new EchoRequest(), deadline: In(-1)).ResponseAsync.Within());
        Assert.Equal(StatusCode.DeadlineExceeded, exception.StatusCode);
        await echo.Client.UnaryAsync(new EchoRequest()).ResponseAsync.Within();
        Assert.Single(echo.Service.Contexts);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Deadline_FarAway_IsNoProblem(bool maximum)
    {
        await using EchoConnection echo = Connect();
        DateTime deadline = maximum ? DateTime.MaxValue.AddDays(-1).ToUniversalTime() : In(400 * 24 * 3600);
        await echo.Client.UnaryAsync(new EchoRequest(), deadline: deadline).ResponseAsync.Within();
    }

    [Fact]
    public async Task Deadline_OfAStream_EndsReading()
    {
        await using EchoConnection echo = Connect();
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = echo.Client.Chat(deadline: In(5));
        Task<bool> reading = call.ResponseStream.MoveNext();
        _clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(() => reading.Within())).StatusCode);
        Assert.Equal(
            StatusCode.DeadlineExceeded,
            (await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(new EchoRequest()).Within())).StatusCode);
    }

    [Fact]
    public async Task Deadline_HandlerReadsItsStreamWithoutToken_EndsTheHandler()
    {
        (InMemoryDuplex near, InMemoryDuplex far) = InMemoryDuplex.CreatePair();
        var server = new TtRpcServer(new TtRpcOptions { TimeProvider = _clock });
        Echo.BindService(server.Services, new TokenlessService());
        Task serving = server.ServeAsync(far, TestContext.Current.CancellationToken);
        using var client = new RawPeer(near);
        await client.WriteAsync(
            RawPeer.RequestFrame(1, "Collect", flags: 2, timeout: 1_000_000_000),
            RawPeer.RequestFrame(3, "Missing"));
        await client.ReadResponseAsync(); // of the second call, so the first was accepted
        _clock.Advance(TimeSpan.FromSeconds(2));
        (uint streamId, Envelope.Response response) = await client.ReadResponseAsync();
        Assert.Equal((1u, StatusCode.DeadlineExceeded), (streamId, (StatusCode)response.Status.Code));
        client.Dispose();
        await serving.Within();
    }

    [Fact]
    public async Task Cancel_OpenCall_EndsItHereAndLateFramesAreIgnored()
    {
        await using EchoConnection echo = Connect();
        using var cancel = new CancellationTokenSource();
        using AsyncServerStreamingCall<EchoReply> call = echo.Client.Repeat(
            new EchoRequest { Number = 100_000 }, cancellationToken: cancel.Token);
        Assert.True(await call.ResponseStream.MoveNext().Within());
        await cancel.CancelAsync();
        RpcException exception = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext().Within())
            {
            }
        });
        Assert.Equal(StatusCode.Cancelled, exception.StatusCode);
        Assert.Equal(2, (await echo.Client.UnaryAsync(new EchoRequest { Number = 2 }).ResponseAsync.Within()).Number);
        Assert.False(echo.Connection.Completion.IsCompleted);
    }

    [Fact]
    public async Task Cancel_TokenWasCancelledBefore_NothingIsSent()
    {
        await using EchoConnection echo = Connect();
        RpcException exception = await Assert.ThrowsAsync<RpcException>(
            () => echo.Client.UnaryAsync(new EchoRequest(), cancellationToken: new CancellationToken(true)).ResponseAsync.Within());
        Assert.Equal(StatusCode.Cancelled, exception.StatusCode);
        await echo.Client.UnaryAsync(new EchoRequest()).ResponseAsync.Within();
        Assert.Single(echo.Service.Contexts);
    }

    [Fact]
    public async Task Dispose_OpenCall_CancelsIt()
    {
        await using EchoConnection echo = Connect();
        AsyncUnaryCall<EchoReply> call = echo.Client.WaitAsync(new EchoRequest());
        call.Dispose();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Within())).StatusCode);
    }

    [Fact]
    public async Task Cancel_WhileThePeerDoesNotRead_EndsTheCall()
    {
        (InMemoryDuplex near, InMemoryDuplex far) = InMemoryDuplex.CreatePair(1024);
        await using var client = new TtRpcClient(near);
        var echo = new Echo.EchoClient(client.CallInvoker);
        using var cancel = new CancellationTokenSource();
        var large = new EchoRequest { Data = Google.Protobuf.ByteString.CopyFrom(new byte[10_000]) };
        Task writing = echo.UnaryAsync(large, cancellationToken: cancel.Token).ResponseAsync;
        Task waiting = echo.UnaryAsync(large, cancellationToken: cancel.Token).ResponseAsync;
        using AsyncClientStreamingCall<EchoRequest, EchoReply> stream = echo.Collect(cancellationToken: cancel.Token);
        Task streaming = stream.RequestStream.WriteAsync(large);
        await cancel.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => writing.Within())).StatusCode);
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => waiting.Within())).StatusCode);
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => streaming.Within())).StatusCode);

        // The frame that had begun is written to its end; the others were never started and their ids never used.
        Task<EchoReply> next = echo.UnaryAsync(new EchoRequest()).ResponseAsync;
        using var server = new RawPeer(far);
        Assert.Equal(1u, (await server.ReadAsync()).StreamId);
        Assert.Equal(3u, (await server.ReadAsync()).StreamId);
        await server.WriteAsync(RawPeer.ResponseFrame(3, new EchoReply { Number = 3 }));
        Assert.Equal(3, (await next.Within()).Number);
    }

    [Fact]
    public async Task Serve_ClientLeaves_CancelsItsHandlers()
    {
        await using EchoConnection echo = Connect();
        Task call = echo.Client.WaitAsync(new EchoRequest()).ResponseAsync;
        await echo.Service.WaitStarted.Task.Within();
        await echo.Connection.DisposeAsync().AsTask().Within();
        await echo.Service.WaitCancelled.Task.Within();
        await echo.Serving.Within();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.Within())).StatusCode);
    }

    [Fact]
    public async Task Serve_TokenCancelled_EndsTheConnection()
    {
        await using EchoConnection echo = Connect();
        Task call = echo.Client.WaitAsync(new EchoRequest()).ResponseAsync;
        await echo.Service.WaitStarted.Task.Within();
        echo.StopServer();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => echo.Serving.Within());
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => call.Within())).StatusCode);
    }

    private sealed class TokenlessService : Echo.EchoBase
    {
        public override async Task<EchoReply> Collect(IAsyncStreamReader<EchoRequest> requestStream, ServerCallContext context)
        {
            while (await requestStream.MoveNext(CancellationToken.None))
            {
            }

            return new EchoReply();
        }
    }

    private EchoConnection Connect() => new(new TtRpcOptions { TimeProvider = _clock }, new TtRpcOptions { TimeProvider = _clock });

    private DateTime In(int seconds) => _clock.GetUtcNow().UtcDateTime.AddSeconds(seconds);
}
