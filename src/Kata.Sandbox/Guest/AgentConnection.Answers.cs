using System.Globalization;
using Grpc.Core;
using Kata.Agent.Protocol;

namespace Kata.Sandbox;

/// <summary>
/// Whether the agent still answers. Nobody who waits for a container's end would ever notice a guest that hangs: its channel stays
/// open. So one small question is asked at long intervals, which costs an idle pod one wake-up each.
/// </summary>
internal sealed partial class AgentConnection
{
    /// <summary>
    /// Questions in a row without an answer that make a guest a dead one. Not one: when this process itself was stopped for a while,
    /// the first limit is over before the answer that came meanwhile is read.
    /// </summary>
    private const int MaxUnanswered = 2;

    /// <summary>For a guest that has nothing else to do, on a host that emulates it and is busy.</summary>
    private static readonly TimeSpan s_answerTimeout = TimeSpan.FromSeconds(2);

    /// <summary>From hanging up until the channel's end is known.</summary>
    private static readonly TimeSpan s_hangUpTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Why the agent was given up although it broke no rule, or null.</summary>
    public string? Silence { get; private set; }

    /// <summary>Whether it answers within a moment.</summary>
    public async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            await CallAsync(
                "ask the guest's agent whether it lives",
                new Health.HealthClient(_client.CallInvoker).CheckAsync(new CheckRequest(), Within(s_answerTimeout, cancellationToken)));
            return true;
        }
        catch (AgentException error)
        {
            return !error.IsUnanswered && error.Code != StatusCode.Unavailable; // a refusal is an answer
        }
    }

    /// <summary>Asks until the channel is gone. An agent that does not answer is condemned. Never faults.</summary>
    /// <param name="interval">Between an answer and the next question.</param>
    public async Task WatchAnswersAsync(TimeSpan interval)
    {
        var health = new Health.HealthClient(_client.CallInvoker);
        int unanswered = 0;
        while (unanswered < MaxUnanswered)
        {
            if (unanswered == 0 && await Task.WhenAny(Completion, Task.Delay(interval, _time)) == Completion)
            {
                return;
            }

            try
            {
                await CallAsync(
                    "ask the guest's agent whether it lives", health.CheckAsync(new CheckRequest(), Timed(CancellationToken.None)));
                unanswered = 0;
            }
            catch (AgentException error) when (error.Code == StatusCode.DeadlineExceeded)
            {
                unanswered++;
            }
            catch (AgentException error) when (error.Code == StatusCode.Unavailable)
            {
                return; // the channel is gone
            }
            catch (AgentException error) when (error.Code == StatusCode.Cancelled)
            {
                // We hung up, or the agent's own limit was over a moment before ours, which is no answer either.
                if (await Task.WhenAny(Completion, Task.Delay(s_hangUpTimeout, _time)) == Completion)
                {
                    return;
                }

                unanswered++;
            }
            catch (AgentException)
            {
                unanswered = 0; // a refusal is an answer; an old agent may not serve this
            }
        }

        Silence = string.Create(
            CultureInfo.InvariantCulture,
            $"the guest's agent did not answer for {MaxUnanswered * _requestTimeout.TotalSeconds:0.#} s: "
                + $"the guest hangs, or its virtual machine was stopped");
        _condemned.TrySetResult();
    }
}
