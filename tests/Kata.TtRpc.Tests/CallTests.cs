using Google.Protobuf;
using Grpc.Core;
using Kata.Testing;

namespace Kata.TtRpc.Tests;

/// <summary>The four kinds of calls, client and server together.</summary>
public sealed class CallTests
{
    [Fact]
    public async Task Unary_AnyMessage_ComesBack()
    {
        await using var echo = new EchoConnection();
        EchoReply reply = await echo.Client.UnaryAsync(new EchoRequest { Text = "hé", Number = -1 }).ResponseAsync.Within();
        Assert.Equal(new EchoReply { Text = "hé", Number = -1 }, reply);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8 * 1024)]
    [InlineData(64 * 1024)]
    [InlineData(3 * 1024 * 1024)]
    public async Task Unary_AnySize_ComesBack(int size)
    {
        await using var echo = new EchoConnection();
        byte[] data = new byte[size];
        new Random(size).NextBytes(data);
        EchoReply reply = await echo.Client.UnaryAsync(new EchoRequest { Data = ByteString.CopyFrom(data) }).ResponseAsync.Within();
        Assert.Equal(data, reply.Data.ToByteArray());
    }

    [Fact]
    public async Task Unary_ThousandAtOnce_EachGetsItsOwnAnswer()
    {
        await using var echo = new EchoConnection();
        EchoReply[] replies = await Task.WhenAll(Enumerable.Range(0, 1000)
            .Select(i => echo.Client.UnaryAsync(new EchoRequest { Number = i }).ResponseAsync)).Within();
        Assert.Equal(Enumerable.Range(0, 1000), replies.Select(r => r.Number));
    }

    [Fact]
    public async Task Collect_SomeMessages_ArriveInOrder()
    {
        await using var echo = new EchoConnection();
        using AsyncClientStreamingCall<EchoRequest, EchoReply> call = echo.Client.Collect();
        for (int i = 0; i < 10; i++)
            await call.RequestStream.WriteAsync(new EchoRequest { Text = i.ToString() }).Within();
        await call.RequestStream.CompleteAsync().Within();
        EchoReply reply = await call.ResponseAsync.Within();
        Assert.Equal("0123456789", reply.Text);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Collect_NoMessage_IsAnEmptyStream()
    {
        await using var echo = new EchoConnection();
        using AsyncClientStreamingCall<EchoRequest, EchoReply> call = echo.Client.Collect();
        await call.RequestStream.CompleteAsync().Within();
        Assert.Equal(0, (await call.ResponseAsync.Within()).Number);
    }

    [Fact]
    public async Task Collect_EmptyMessages_AreCounted()
    {
        await using var echo = new EchoConnection();
        using AsyncClientStreamingCall<EchoRequest, EchoReply> call = echo.Client.Collect();
        for (int i = 0; i < 5; i++)
            await call.RequestStream.WriteAsync(new EchoRequest()).Within();
        await call.RequestStream.CompleteAsync().Within();
        Assert.Equal(5, (await call.ResponseAsync.Within()).Number);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1000)]
    public async Task Repeat_AnyCount_ArrivesInOrder(int count)
    {
        await using var echo = new EchoConnection();
        using AsyncServerStreamingCall<EchoReply> call = echo.Client.Repeat(new EchoRequest { Number = count });
        Assert.Equal(Enumerable.Range(0, count), await ReadNumbersAsync(call.ResponseStream));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Repeat_FailsAtTheEnd_MessagesFirstThenTheStatus()
    {
        await using var echo = new EchoConnection();
        using AsyncServerStreamingCall<EchoReply> call = echo.Client.Repeat(new EchoRequest { Number = 3, Text = "fail" });
        for (int i = 0; i < 3; i++)
            Assert.True(await call.ResponseStream.MoveNext().Within());
        RpcException exception = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext().Within());
        Assert.Equal((StatusCode.DataLoss, "after all messages"), (exception.StatusCode, exception.Status.Detail));
    }

    [Fact]
    public async Task Chat_PingPong_EachSeesTheOther()
    {
        await using var echo = new EchoConnection();
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = echo.Client.Chat();
        for (int i = 0; i < 50; i++)
        {
            await call.RequestStream.WriteAsync(new EchoRequest { Number = i }).Within();
            Assert.True(await call.ResponseStream.MoveNext().Within());
            Assert.Equal(i, call.ResponseStream.Current.Number);
        }

        await call.RequestStream.CompleteAsync().Within();
        Assert.False(await call.ResponseStream.MoveNext().Within());
    }

    [Fact]
    public async Task Chat_ServerEndsFirst_LaterWritesSaySo()
    {
        await using var echo = new EchoConnection();
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = echo.Client.Chat();
        await call.RequestStream.WriteAsync(new EchoRequest { Text = "stop" }).Within();
        Assert.False(await call.ResponseStream.MoveNext().Within());
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(new EchoRequest()).Within());
        await call.RequestStream.CompleteAsync().Within();
        Assert.Equal(7, (await echo.Client.UnaryAsync(new EchoRequest { Number = 7 }).ResponseAsync.Within()).Number);
    }

    [Fact]
    public async Task Blocking_AnyCall_IsNotSupported()
    {
        await using var echo = new EchoConnection();
        Assert.Contains(
            "Use the method's Async form", Assert.Throws<NotSupportedException>(() => echo.Client.Unary(new EchoRequest())).Message);
    }

    private static async Task<List<int>> ReadNumbersAsync(IAsyncStreamReader<EchoReply> stream)
    {
        var numbers = new List<int>();
        while (await stream.MoveNext().Within())
            numbers.Add(stream.Current.Number);
        return numbers;
    }
}
