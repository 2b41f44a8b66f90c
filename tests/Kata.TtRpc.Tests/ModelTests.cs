using CsCheck;
using Google.Protobuf;
using Grpc.Core;
using Kata.Testing;

namespace Kata.TtRpc.Tests;

/// <summary>Many calls of all kinds at once, over a connection that cuts its bytes anywhere, against the obvious model.</summary>
public sealed class ModelTests
{
    private static readonly Gen<(int Kind, int Count, int Size)> s_call = Gen.Select(Gen.Int[0, 3], Gen.Int[0, 30], Gen.Int[0, 3000]);

    [Fact]
    public Task Calls_AnyMixInAnyPieces_AllAnswerAsIfAlone() =>
        Gen.Select(s_call.Array[1, 25], Gen.Int[1, 4000].Array[1, 10], Gen.Int[2_000, 100_000]).SampleAsync(async (calls, pieces, queued) =>
        {
            await using var echo = new EchoConnection(
                new TtRpcOptions { MaxQueuedBytes = queued },
                new TtRpcOptions { MaxQueuedBytes = 1 << 20 },
                stream => new PieceStream(stream, pieces));
            await Task.WhenAll(calls.Select(call => RunAsync(echo.Client, call.Kind, call.Count, call.Size))).Within();
        }, iter: 40, threads: 2);

    private static async Task RunAsync(Echo.EchoClient client, int kind, int count, int size)
    {
        ByteString data = ByteString.CopyFrom([.. Enumerable.Range(count, size).Select(i => (byte)i)]);
        var request = new EchoRequest { Text = "t", Number = count, Data = data };
        switch (kind)
        {
            case 0:
                Assert.Equal(data, (await client.UnaryAsync(request)).Data);
                break;
            case 1:
                using (AsyncClientStreamingCall<EchoRequest, EchoReply> collect = client.Collect())
                {
                    for (int i = 0; i < count; i++)
                        await collect.RequestStream.WriteAsync(request);
                    await collect.RequestStream.CompleteAsync();
                    Assert.Equal(count, (await collect).Number);
                }

                break;
            case 2:
                using (AsyncServerStreamingCall<EchoReply> repeat = client.Repeat(request))
                {
                    int expected = 0;
                    while (await repeat.ResponseStream.MoveNext())
                    {
                        Assert.Equal(expected++, repeat.ResponseStream.Current.Number);
                        Assert.Equal(data, repeat.ResponseStream.Current.Data);
                    }

                    Assert.Equal(count, expected);
                }

                break;
            default:
                await ChatAsync(client, request, count);
                break;
        }
    }

    private static async Task ChatAsync(Echo.EchoClient client, EchoRequest request, int count)
    {
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> chat = client.Chat();
        Task sending = SendAsync();
        int expected = 0;
        while (await chat.ResponseStream.MoveNext())
        {
            Assert.Equal(expected++, chat.ResponseStream.Current.Number);
            Assert.Equal(request.Data, chat.ResponseStream.Current.Data);
        }

        Assert.Equal(count, expected);
        await sending;

        async Task SendAsync()
        {
            for (int i = 0; i < count; i++)
                await chat.RequestStream.WriteAsync(new EchoRequest { Number = i, Data = request.Data });
            await chat.RequestStream.CompleteAsync();
        }
    }
}
