using Grpc.Core;

namespace Kata.Sandbox.Tests.Hostile;

/// <summary>An agent whose channel stays open and that answers no more is found out, and nobody else is.</summary>
public sealed class SilentAgentTests
{
    private static readonly TimeSpan s_requestTimeout = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WatchAnswers_NoneComes_IsCondemnedWithTheReason()
    {
        await using var agent = new ScriptedAgent { Check = static context => Task.Delay(Timeout.Infinite, context.CancellationToken) };
        await using AgentConnection connection = await OpenAsync(agent);

        await connection.WatchAnswersAsync(s_interval).WaitAsync(s_limit, Cancellation);

        Assert.True(connection.IsCondemned);
        await connection.Completion.WaitAsync(s_limit, Cancellation);
        Assert.Equal("the guest's agent did not answer for 1 s: the guest hangs, or its virtual machine was stopped", connection.Silence);
    }

    [Theory]
    [InlineData(StatusCode.Unimplemented)]
    [InlineData(StatusCode.DeadlineExceeded)]
    public async Task WatchAnswers_EverySecondIsRefusedOrLate_GoesOn(StatusCode code)
    {
        int questions = 0;
        var enough = new TaskCompletionSource();
        await using var agent = new ScriptedAgent
        {
            Check = context =>
            {
                int question = Interlocked.Increment(ref questions);
                if (question == 6)
                {
                    enough.SetResult();
                }

                return question % 2 == 0 ? Task.CompletedTask
                    : code == StatusCode.DeadlineExceeded && question < 4 ? Task.Delay(Timeout.Infinite, context.CancellationToken)
                    : throw new RpcException(new Status(code, ""));
            },
        };
        await using AgentConnection connection = await OpenAsync(agent);
        Task watch = connection.WatchAnswersAsync(s_interval);

        await enough.Task.WaitAsync(s_limit, Cancellation);
        Assert.False(connection.IsCondemned);
        Assert.False(watch.IsCompleted);
        await agent.HangUpAsync();

        await watch.WaitAsync(s_limit, Cancellation);
        Assert.False(connection.IsCondemned);
    }

    private static Task<AgentConnection> OpenAsync(ScriptedAgent agent) =>
        AgentConnection.OpenAsync(agent.Near, s_requestTimeout, s_requestTimeout, TimeProvider.System, Cancellation)
            .WaitAsync(s_limit, Cancellation);
}
