using Grpc.Core;
using Kata.Containerd.Protocol.Events;
using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Service;
using Task = System.Threading.Tasks.Task;

namespace Kata.Runtime.Statistics;

/// <summary>
/// Follows one container. Its end is told twice, by the pod's event and by the answer to Wait: the event comes after any shortage
/// of memory that was its cause, but a container may end before the subscription has begun, and only Wait tells of that.
/// </summary>
internal sealed class ContainerWatch(PodClient client, ContainerId container, Stream output, TimeProvider time)
{
    /// <summary>From the answer to Wait to the event, which the same service has written by then.</summary>
    private static readonly TimeSpan s_eventTimeout = TimeSpan.FromSeconds(1);

    public async Task PrintStatsAsync() => await output.WriteAsync(EventLine.Stats(container, await client.StatsAsync(container)));

    /// <summary>Prints until the container has ended.</summary>
    public async Task RunAsync(TimeSpan interval)
    {
        await client.StatsAsync(container); // refuses a container that has ended
        using AsyncServerStreamingCall<Envelope> events = client.Subscribe();
        using var timer = new PeriodicTimer(interval, time);
        Task ended = EndAsync();
        Task<bool> next = events.ResponseStream.MoveNext(CancellationToken.None);
        Task<bool> tick = timer.WaitForNextTickAsync().AsTask();
        while (true)
        {
            Task first = await Task.WhenAny(next, tick, ended);
            if (first == ended)
            {
                await ended; // the service's death is an error
                return;
            }

            if (first == tick)
            {
                await PrintStatsUnlessEndedAsync();
                tick = timer.WaitForNextTickAsync().AsTask();
                continue;
            }

            if (!await next || IsEnd(events.ResponseStream.Current))
            {
                await ended;
                return;
            }

            await PrintAsync(events.ResponseStream.Current);
            next = events.ResponseStream.MoveNext(CancellationToken.None);
        }
    }

    private async Task EndAsync()
    {
        await client.WaitAsync(container);
        await Task.Delay(s_eventTimeout, time);
    }

    private bool IsEnd(Envelope envelope) =>
        envelope.Topic == TaskEvents.ExitTopic && TaskExit.Parser.ParseFrom(envelope.Event.Value) is { } exit
            && exit.ContainerId == container.Value && exit.Id == container.Value;

    private async Task PrintAsync(Envelope envelope)
    {
        if (envelope.Topic == TaskEvents.OomTopic && TaskOOM.Parser.ParseFrom(envelope.Event.Value).ContainerId == container.Value)
        {
            await output.WriteAsync(EventLine.OutOfMemory(container));
        }
    }

    private async Task PrintStatsUnlessEndedAsync()
    {
        try
        {
            await PrintStatsAsync();
        }
        catch (RpcException error) when (error.StatusCode is StatusCode.FailedPrecondition or StatusCode.NotFound)
        {
            // its end is on its way to us
        }
    }
}
