using Grpc.Core;
using Kata.Agent.Protocol;
using Kata.Oci;

namespace Kata.Sandbox;

internal sealed partial class PodSandbox
{
    /// <summary>Between two questions: a guest that makes up news costs us ten calls a second, not a processor.</summary>
    private static readonly TimeSpan s_oomPause = TimeSpan.FromMilliseconds(100);

    private Task _oomWatch = Task.CompletedTask; // ends with the channel

    internal void OutOfMemory(ContainerId container) => _environment.OutOfMemory(container);

    // The agent answers when there is news, and not before: an idle pod has one open call and no timer.
    private async Task WatchOomAsync(AgentConnection agent)
    {
        try
        {
            while (!_stopping)
            {
                OOMEvent news = await AgentConnection.CallAsync(
                    "wait for news of memory shortage", agent.Agent.GetOOMEventAsync(new GetOOMEventRequest(), new CallOptions()));
                Container? container;
                lock (_gate)
                {
                    _containers.TryGetValue(news.ContainerId, out container);
                }

                if (container is not null)
                {
                    await container.ReportOutOfMemoryAsync(told: true);
                }

                await Task.Delay(s_oomPause, Time);
            }
        }
        catch (AgentException)
        {
            // The channel is gone, or a stock agent does not serve this.
        }
    }
}
