using System.Threading.Channels;
using Grpc.Core;
using Kata.Containerd.Protocol.Events;
using Kata.Containerd.Protocol.Subscriptions;

namespace Kata.Service;

/// <summary>containerd's Subscribe for one pod. The command line's <c>events</c> listens here.</summary>
internal sealed class EventsService(EventHub hub) : Containerd.Protocol.Subscriptions.Events.EventsBase
{
    public override async Task Subscribe(SubscribeRequest request, IServerStreamWriter<Envelope> responseStream, ServerCallContext context)
    {
        if (request.Filters.Count > 0)
        {
            throw new RpcException(new Status(StatusCode.Unimplemented, "Cannot subscribe: filters are not supported. Leave them out"));
        }

        Channel<Envelope> listener = hub.Join();
        try
        {
            await foreach (Envelope envelope in listener.Reader.ReadAllAsync(context.CancellationToken))
            {
                await responseStream.WriteAsync(envelope);
            }
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            // the listener went away
        }
        finally
        {
            hub.Leave(listener);
        }
    }
}
