using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;

namespace Kata.TtRpc.Tests;

internal sealed class EchoService : Echo.EchoBase
{
    public ConcurrentQueue<ServerCallContext> Contexts { get; } = [];

    /// <summary>Completed when a call of Wait has been cancelled.</summary>
    public TaskCompletionSource WaitCancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completed when a call of Wait has begun.</summary>
    public TaskCompletionSource WaitStarted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override Task<EchoReply> Unary(EchoRequest request, ServerCallContext context)
    {
        Contexts.Enqueue(context);
        return Task.FromResult(new EchoReply { Text = request.Text, Number = request.Number, Data = request.Data });
    }

    public override async Task<EchoReply> Collect(IAsyncStreamReader<EchoRequest> requestStream, ServerCallContext context)
    {
        var reply = new EchoReply();
        while (await requestStream.MoveNext(context.CancellationToken))
        {
            reply.Text += requestStream.Current.Text;
            reply.Number++;
        }

        return reply;
    }

    public override async Task Repeat(EchoRequest request, IServerStreamWriter<EchoReply> responseStream, ServerCallContext context)
    {
        for (int i = 0; i < request.Number; i++)
            await responseStream.WriteAsync(new EchoReply { Text = request.Text, Number = i, Data = request.Data });
        if (request.Text == "fail") throw new RpcException(new Status(StatusCode.DataLoss, "after all messages"));
    }

    public override async Task Chat(
        IAsyncStreamReader<EchoRequest> requestStream, IServerStreamWriter<EchoReply> responseStream, ServerCallContext context)
    {
        while (await requestStream.MoveNext(context.CancellationToken))
        {
            EchoRequest request = requestStream.Current;
            if (request.Text == "stop") return;
            await responseStream.WriteAsync(new EchoReply { Text = request.Text, Number = request.Number, Data = request.Data });
        }
    }

    public override async Task<EchoReply> Wait(EchoRequest request, ServerCallContext context)
    {
        Contexts.Enqueue(context);
        WaitStarted.TrySetResult();
        try
        {
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
        }
        finally
        {
            WaitCancelled.TrySetResult();
        }

        return new EchoReply();
    }

    public override Task<EchoReply> Fail(EchoRequest request, ServerCallContext context)
    {
        switch (request.Text)
        {
            case "status":
                context.Status = new Status((StatusCode)request.Number, "by status");
                return Task.FromResult(new EchoReply());
            case "exception":
                throw new InvalidDataException("the handler fell over");
            case "large":
                return Task.FromResult(new EchoReply { Data = ByteString.CopyFrom(new byte[request.Number]) });
            case "large error":
                throw new RpcException(new Status(StatusCode.NotFound, new string('x', request.Number)));
            case "null":
                return Task.FromResult<EchoReply>(null!);
            default:
                throw new RpcException(new Status((StatusCode)request.Number, request.Text));
        }
    }
}
