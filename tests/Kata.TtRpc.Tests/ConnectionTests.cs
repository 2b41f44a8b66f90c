using Google.Protobuf;
using Grpc.Core;
using Kata.Testing;

namespace Kata.TtRpc.Tests;

/// <summary>Lost connections and connections under pressure.</summary>
public sealed class ConnectionTests
{
    [Fact]
    public async Task AddAlias_CallByEitherName_IsAnswered()
    {
        (InMemoryDuplex near, InMemoryDuplex far) = InMemoryDuplex.CreatePair();
        var server = new TtRpcServer();
        Echo.BindService(server.Services, new EchoService());
        server.AddAlias("test.Echo", "test.v2.Echo");
        Task serving = server.ServeAsync(far, CancellationToken.None);
        var marshaller = Marshallers.Create(static message => message.ToByteArray(), EchoRequest.Parser.ParseFrom);
        var reply = Marshallers.Create(static message => message.ToByteArray(), EchoReply.Parser.ParseFrom);
        await using (var client = new TtRpcClient(near))
        {
            foreach (string service in new[] { "test.Echo", "test.v2.Echo" })
            {
                var method = new Method<EchoRequest, EchoReply>(MethodType.Unary, service, "Unary", marshaller, reply);
                AsyncUnaryCall<EchoReply> call =
                    client.CallInvoker.AsyncUnaryCall(method, null, default, new EchoRequest { Number = 7 });
                Assert.Equal(7, (await call.ResponseAsync.Within()).Number);
            }
        }

        await serving.Within();
    }

    [Fact]
    public void AddAlias_ServiceThatIsNotThere_Throws() => Assert.Contains(
        "Bind the service first",
        Assert.Throws<InvalidOperationException>(static () => new TtRpcServer().AddAlias("a.B", "c.D")).Message);

    [Fact]
    public void AddAlias_NameThatIsTaken_Throws()
    {
        var server = new TtRpcServer();
        Echo.BindService(server.Services, new EchoService());
        Assert.Contains(
            "it was added before",
            Assert.Throws<InvalidOperationException>(() => server.AddAlias("test.Echo", "test.Echo")).Message);
    }

    [Fact]
    public async Task Client_ConnectionLostAtAnyByte_FailsEveryOpenCall()
    {
        byte[] answer = RawPeer.ResponseFrame(1, new EchoReply { Text = "an answer", Number = 3 });
        for (int cut = 0; cut < answer.Length; cut++)
        {
            (InMemoryDuplex near, InMemoryDuplex far) = InMemoryDuplex.CreatePair();
            await using var client = new TtRpcClient(near);
            var echo = new Echo.EchoClient(client.CallInvoker);
            Task unary = echo.UnaryAsync(new EchoRequest()).ResponseAsync;
            using AsyncDuplexStreamingCall<EchoRequest, EchoReply> stream = echo.Chat();
            await far.WriteAsync(answer.AsMemory(0, cut)).AsTask().Within();
            await far.DisposeAsync();

            Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => unary.Within())).StatusCode);
            Assert.Equal(
                StatusCode.Unavailable,
                (await Assert.ThrowsAsync<RpcException>(() => stream.ResponseStream.MoveNext().Within())).StatusCode);
            if (cut > 0) await Assert.ThrowsAnyAsync<IOException>(() => client.Completion.Within());
            else await client.Completion.ContinueWith(_ => { }, TaskScheduler.Default).Within();
        }
    }

    [Fact]
    public async Task Server_ConnectionLostAtAnyByte_Ends()
    {
        byte[] request = RawPeer.RequestFrame(1, "Unary", new EchoRequest { Text = "a question" });
        for (int cut = 0; cut <= request.Length; cut++)
        {
            (InMemoryDuplex near, InMemoryDuplex far) = InMemoryDuplex.CreatePair();
            var server = new TtRpcServer();
            Echo.BindService(server.Services, new EchoService());
            Task serving = server.ServeAsync(far, TestContext.Current.CancellationToken);
            await near.WriteAsync(request.AsMemory(0, cut)).AsTask().Within();
            near.CloseWriting();
            if (cut == 0 || cut == request.Length) await serving.Within();
            else await Assert.ThrowsAsync<TtRpcProtocolException>(() => serving.Within());
        }
    }

    [Fact]
    public async Task Client_Disposed_CompletesAndRefusesCalls()
    {
        await using var echo = new EchoConnection();
        await echo.Connection.DisposeAsync().AsTask().Within();
        await echo.Connection.DisposeAsync().AsTask().Within();
        await echo.Connection.Completion.Within();
        Assert.Equal(
            StatusCode.Cancelled,
            (await Assert.ThrowsAsync<RpcException>(() => echo.Client.UnaryAsync(new EchoRequest()).ResponseAsync.Within())).StatusCode);
        Assert.Throws<RpcException>(() => echo.Client.Collect().RequestStream.WriteAsync(new EchoRequest()).GetAwaiter().GetResult());
    }

    [Fact]
    public async Task SlowReader_OfOneStream_HoldsTheSenderBackAndLosesNothing()
    {
        const int Count = 2000;
        await using var echo = new EchoConnection(new TtRpcOptions { MaxQueuedBytes = 16 * 1024, MaxMessageSize = 8 * 1024 });
        var request = new EchoRequest { Number = Count, Data = ByteString.CopyFrom(new byte[1000]) };
        using AsyncServerStreamingCall<EchoReply> call = echo.Client.Repeat(request);

        // While nobody reads the stream, the connection stands still: a call made now gets no answer.
        Task<EchoReply> other = echo.Client.UnaryAsync(new EchoRequest { Number = 1 }).ResponseAsync;
        for (int i = 0; i < Count; i++)
        {
            Assert.True(await call.ResponseStream.MoveNext().Within());
            Assert.Equal(i, call.ResponseStream.Current.Number);
        }

        Assert.False(await call.ResponseStream.MoveNext().Within());
        Assert.Equal(1, (await other.Within()).Number);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SlowReader_GivesUp_OtherCallsGoOn(bool emptyMessages)
    {
        await using var echo = new EchoConnection(new TtRpcOptions { MaxQueuedBytes = 16 * 1024 });
        var request = new EchoRequest { Number = 5000, Data = ByteString.CopyFrom(new byte[emptyMessages ? 0 : 1000]) };
        AsyncServerStreamingCall<EchoReply> call = echo.Client.Repeat(request);
        Assert.True(await call.ResponseStream.MoveNext().Within());
        call.Dispose();
        Assert.Equal(1, (await echo.Client.UnaryAsync(new EchoRequest { Number = 1 }).ResponseAsync.Within()).Number);
    }

    [Fact]
    public async Task EndedStream_DisposedUnread_FreesItsShareOfTheQueue()
    {
        await using var echo = new EchoConnection(new TtRpcOptions { MaxQueuedBytes = 16 * 1024 });
        var request = new EchoRequest { Number = 10, Data = ByteString.CopyFrom(new byte[1000]) };
        AsyncServerStreamingCall<EchoReply> ended = echo.Client.Repeat(request);
        await echo.Client.UnaryAsync(new EchoRequest()).ResponseAsync.Within();
        while (true)
        {
            // The stream has ended when its status is known; each round trip lets more of it arrive.
            await echo.Client.UnaryAsync(new EchoRequest()).ResponseAsync.Within();
            try
            {
                Assert.Equal(StatusCode.OK, ended.GetStatus().StatusCode);
                break;
            }
            catch (InvalidOperationException)
            {
            }
        }

        ended.Dispose();
        using AsyncServerStreamingCall<EchoReply> unread = echo.Client.Repeat(request);
        Assert.Equal(1, (await echo.Client.UnaryAsync(new EchoRequest { Number = 1 }).ResponseAsync.Within()).Number);
        for (int i = 0; i < 10; i++)
            Assert.True(await unread.ResponseStream.MoveNext().Within());
    }

    [Fact]
    public async Task SlowHandler_OfOneStream_HoldsTheClientBackAndLosesNothing()
    {
        await using var echo = new EchoConnection(serverOptions: new TtRpcOptions { MaxQueuedBytes = 16 * 1024 });
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = echo.Client.Chat();
        Task sending = Task.Run(async () =>
        {
            for (int i = 0; i < 1000; i++)
                await call.RequestStream.WriteAsync(new EchoRequest { Number = i, Data = ByteString.CopyFrom(new byte[1000]) }).Within();
            await call.RequestStream.CompleteAsync().Within();
        });
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(await call.ResponseStream.MoveNext().Within());
            Assert.Equal(i, call.ResponseStream.Current.Number);
        }

        Assert.False(await call.ResponseStream.MoveNext().Within());
        await sending.Within();
    }

    [Fact]
    public async Task FloodOfEmptyFrames_WithoutReader_IsHeldBack()
    {
        (InMemoryDuplex near, InMemoryDuplex far) = InMemoryDuplex.CreatePair(4096);
        using var server = new RawPeer(far);
        await using var client = new TtRpcClient(near, new TtRpcOptions { MaxQueuedBytes = 4096 });
        using AsyncServerStreamingCall<EchoReply> call = new Echo.EchoClient(client.CallInvoker).Repeat(new EchoRequest());
        await server.ReadAsync();
        byte[] empty = RawPeer.Frame(1, 3, 0, []);
        int sent = 0;
        Task flood = Task.Run(async () =>
        {
            for (; sent < 100_000; sent++)
                await server.WriteAsync(empty);
        });
        await Assert.ThrowsAsync<TimeoutException>(() => flood.WaitAsync(TimeSpan.FromMilliseconds(300)));
        Assert.InRange(sent, 1, 5000);
        server.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => flood.Within());
    }
}
