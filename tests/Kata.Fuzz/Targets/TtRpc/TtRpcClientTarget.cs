using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kata.TtRpc;

namespace Kata.Fuzz.Targets;

/// <summary>A client with one call of each kind open, ids 1, 3, 5 and 7, whose server sends the input. All calls must end.</summary>
internal sealed class TtRpcClientTarget : AsyncTarget
{
    public override string Name => "ttrpc-client";

    protected override async Task RunAsync(byte[] input)
    {
        using var gate = new GatedStream(new ScriptedStream(input, input.Length == 0 ? 1 : 1 + input[^1]));
        await using var client = new TtRpcClient(gate, new TtRpcOptions { MaxMessageSize = 64 * 1024, MaxQueuedBytes = 64 * 1024 });
        CallInvoker invoker = client.CallInvoker;
        var request = new Struct();
        using AsyncUnaryCall<Struct> unary = invoker.AsyncUnaryCall(FuzzService.Unary, null, default, request);
        using AsyncClientStreamingCall<Struct, Struct> clientStream = invoker.AsyncClientStreamingCall(
            FuzzService.ClientStreaming, null, default);
        using AsyncServerStreamingCall<Struct> serverStream = invoker.AsyncServerStreamingCall(
            FuzzService.ServerStreaming, null, default, request);
        using AsyncDuplexStreamingCall<Struct, Struct> duplex = invoker.AsyncDuplexStreamingCall(FuzzService.Duplex, null, default);
        gate.Open();

        Task[] ends =
        [
            Expected(unary.ResponseAsync), Expected(clientStream.ResponseAsync),
            Expected(ReadAllAsync(serverStream.ResponseStream)), Expected(ReadAllAsync(duplex.ResponseStream)),
        ];
        await Task.WhenAll(ends);
        await Expected(client.Completion);
    }

    private static async Task ReadAllAsync(IAsyncStreamReader<Struct> stream)
    {
        while (await stream.MoveNext())
        {
        }
    }

    private static async Task Expected(Task task)
    {
        try
        {
            await task;
        }
        catch (Exception exception) when (exception is RpcException or TtRpcProtocolException)
        {
            // The two documented ways to fail.
        }
    }
}
