using System.Diagnostics;
using System.Security.Cryptography;
using Google.Protobuf;
using Kata.Agent.Protocol.Extension;
using Kata.Testing;

namespace Kata.Sandbox.Tests.Hostile;

/// <summary>An agent that is silent, speaks garbage or breaks its promises costs a limit and its own sandbox: no hang, no memory.</summary>
public sealed class HostileAgentTests
{
    private static readonly TimeSpan s_requestTimeout = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10); // where the agent does answer, on a busy machine
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Open_AgentSilent_EndsAtTheRequestLimitAndNamesIt()
    {
        (InMemoryDuplex near, InMemoryDuplex far) = InMemoryDuplex.CreatePair();
        await using InMemoryDuplex held = far;

        var error = await Assert.ThrowsAsync<AgentException>(() => OpenAsync(near));

        Assert.StartsWith("Cannot agree on a protocol with the guest's agent: it did not answer within ", error.Message);
        Assert.Equal(Grpc.Core.StatusCode.DeadlineExceeded, error.Code);
    }

    public static TheoryData<string> Garbage => new(
        new string('\0', 64),
        new string('\xff', 4096),
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        "\x40\0\0\0\0\0\0\x01\x02\0"); // a frame of 1 GiB

    [Theory]
    [MemberData(nameof(Garbage))]
    public async Task Open_AgentAnswersGarbage_Throws(string garbage)
    {
        (InMemoryDuplex near, InMemoryDuplex far) = InMemoryDuplex.CreatePair();
        await using InMemoryDuplex held = far;
        await far.WriteAsync(System.Text.Encoding.Latin1.GetBytes(garbage), Cancellation);
        long before = Process.GetCurrentProcess().PrivateMemorySize64;

        var error = await Assert.ThrowsAsync<AgentException>(() => OpenAsync(near));

        Assert.StartsWith("Cannot ", error.Message);
        Assert.InRange(Process.GetCurrentProcess().PrivateMemorySize64 - before, long.MinValue, 256L * 1024 * 1024);
    }

    [Fact]
    public async Task Open_AgentAnswersRandomBytes_NeverHangs()
    {
        for (int round = 0; round < 20; round++)
        {
            (InMemoryDuplex near, InMemoryDuplex far) = InMemoryDuplex.CreatePair();
            await using InMemoryDuplex held = far;
            await far.WriteAsync(RandomNumberGenerator.GetBytes(1 + (round * 50)), Cancellation);
            await Assert.ThrowsAsync<AgentException>(() => OpenAsync(near));
        }
    }

    [Fact]
    public async Task Stdio_AgentGrantsAbsurdCredit_IsCondemned()
    {
        await using var agent = new ScriptedAgent
        {
            Stdio = static async (_, toHost, context) =>
            {
                await toHost.WriteAsync(new StdioFromGuest { StdinCredit = uint.MaxValue }, context.CancellationToken);
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
            },
        };

        Assert.Equal("the peer granted more than 67108864 bytes of credit", await ViolationAsync(agent));
    }

    [Fact]
    public async Task Stdio_AgentSendsMoreThanItsCredit_IsCondemnedAndMemoryBounded()
    {
        await using var agent = new ScriptedAgent
        {
            Stdio = static async (_, toHost, context) =>
            {
                var chunk = new StdioFromGuest { Stdout = ByteString.CopyFrom(new byte[1024 * 1024]) };
                while (true)
                {
                    await toHost.WriteAsync(chunk, context.CancellationToken); // the reader takes nothing: no credit comes
                }
            },
        };

        Assert.Equal("the guest sent more output than it had credit for", await ViolationAsync(agent));
    }

    public static TheoryData<string, string> Repeated => new()
    {
        { "drained", "the guest sent 'drained' twice" },
        { "error-eof", "the guest sent the end of standard error twice" },
    };

    /// <summary>Each waits for the reader, who never reads: for ever, and as many as the guest likes.</summary>
    [Theory]
    [MemberData(nameof(Repeated))]
    public async Task Stdio_AgentRepeatsWhatComesOnce_IsCondemned(string frame, string violation)
    {
        await using var agent = new ScriptedAgent
        {
            Stdio = async (_, toHost, context) =>
            {
                await toHost.WriteAsync(new StdioFromGuest { Stdout = ByteString.CopyFromUtf8("x") }, context.CancellationToken);
                while (true)
                {
                    await toHost.WriteAsync(
                        frame == "drained" ? new StdioFromGuest { Drained = new StdioDrained() } : new StdioFromGuest { StderrEof = true },
                        context.CancellationToken);
                }
            },
        };

        Assert.Equal(violation, await ViolationAsync(agent));
    }

    /// <summary>A window's worth of single bytes, which nobody reads.</summary>
    [Fact]
    public async Task Stdio_AgentSendsSingleBytes_TheyCostWhatTheyAre()
    {
        const int Count = 1024 * 1024;
        await using var queue = new OutputQueue(new StuckStream(), Count, static _ => Task.CompletedTask, static () => Task.CompletedTask);
        byte[] one = new byte[1];
        queue.Accept(one);
        queue.Accept(one);
        long before = GC.GetAllocatedBytesForCurrentThread();

        for (int i = 2; i < Count; i++)
        {
            queue.Accept(one);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2 * Count);
        Assert.Throws<InvalidDataException>(() => queue.Accept(one));
    }

    [Fact]
    public async Task Exit_BeforeDrainAndNeverDrained_IsReportedAfterTheDrainLimit()
    {
        await using var agent = new ScriptedAgent();
        await using AgentConnection connection = await OpenAsync(agent.Near, s_patience);
        await using GuestProcess process = NewProcess(connection);
        process.Attach(new ProcessStdio { Output = new StuckStream() });
        agent.Exit.SetResult(7);

        ProcessExit exit = await process.Exited.WaitAsync(s_limit, Cancellation);

        Assert.Equal((7u, null), (exit.Status, exit.Reason));
    }

    [Fact]
    public async Task Wait_StatusOutOfRange_IsCutToOneByte()
    {
        await using var agent = new ScriptedAgent();
        await using AgentConnection connection = await OpenAsync(agent.Near, s_patience);
        await using GuestProcess process = NewProcess(connection);
        process.Attach(new ProcessStdio());
        agent.Exit.SetResult(-1);

        Assert.Equal(255u, (await process.Exited.WaitAsync(s_limit, Cancellation)).Status);
    }

    [Fact]
    public async Task Wait_ChannelLost_Is255WithTheReason()
    {
        await using var agent = new ScriptedAgent();
        await using AgentConnection connection = await OpenAsync(agent.Near, s_patience);
        await using GuestProcess process = NewProcess(connection);
        process.Attach(new ProcessStdio());
        await agent.HangUpAsync();

        ProcessExit exit = await process.Exited.WaitAsync(s_limit, Cancellation);

        Assert.Equal((255u, "QEMU was killed by signal 9"), (exit.Status, exit.Reason));
    }

    private static async Task<string> ViolationAsync(ScriptedAgent agent)
    {
        await using AgentConnection connection = await OpenAsync(agent.Near, s_patience);
        await using GuestProcess process = NewProcess(connection);
        process.Attach(new ProcessStdio { Output = new StuckStream() });
        await connection.Completion.WaitAsync(s_limit, Cancellation);
        return connection.Violation!;
    }

    private static Task<AgentConnection> OpenAsync(Stream channel, TimeSpan? requestTimeout = null) =>
        AgentConnection.OpenAsync(
                channel, requestTimeout ?? s_requestTimeout, requestTimeout ?? s_requestTimeout, TimeProvider.System, Cancellation)
            .WaitAsync(s_limit, Cancellation);

    private static GuestProcess NewProcess(AgentConnection connection) =>
        new(connection, "c1", "", s_requestTimeout, static () => Task.FromResult("QEMU was killed by signal 9"), TimeProvider.System);
}
