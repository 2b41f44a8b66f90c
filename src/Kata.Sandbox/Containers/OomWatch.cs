using Grpc.Core;
using Kata.Agent.Protocol;

namespace Kata.Sandbox;

/// <summary>
/// Asks the guest for news of memory shortage. The agent answers when there is news, not before: an idle pod has one open call, no timer.
/// </summary>
internal static class OomWatch
{
    /// <summary>Between two questions: a guest that makes up news costs us ten calls a second, not a processor.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Ends with the channel.</summary>
    /// <param name="agent">The guest's.</param>
    /// <param name="find">The container of an id; null where there is none.</param>
    /// <param name="time">The clock.</param>
    public static async Task RunAsync(AgentConnection agent, Func<string, Container?> find, TimeProvider time)
    {
        try
        {
            while (!agent.Completion.IsCompleted)
            {
                OOMEvent news = await AgentConnection.CallAsync(
                    "wait for news of memory shortage", agent.Agent.GetOOMEventAsync(new GetOOMEventRequest(), new CallOptions()));
                if (find(news.ContainerId) is { } container)
                {
                    await container.OutOfMemory.ReportAsync(told: true);
                }

                await Task.Delay(s_pause, time);
            }
        }
        catch (AgentException)
        {
            // The channel is gone, or a stock agent does not serve this.
        }
    }
}
