using System.Collections.Concurrent;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Kata.Agent.Protocol.Extension;
using Kata.Testing;

namespace Kata.Sandbox.Tests;

/// <summary>A process's streams and exit over the agent's own service.</summary>
public sealed class StreamedStdioTests : IAsyncDisposable
{
    private static readonly TimeSpan s_drain = TimeSpan.FromSeconds(7);

    private readonly ScriptedAgent _agent = new();
    private readonly SignallingTimeProvider _time = new();
    private readonly ConcurrentQueue<StdioToGuest> _received = new();
    private readonly TaskCompletionSource _callEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async ValueTask DisposeAsync() => await _agent.DisposeAsync();

    [Fact]
    public async Task Output_DrainedThenExit_IsCompleteWhenTheExitIsReported()
    {
        byte[] expected = new byte[1_000_000];
        Random.Shared.NextBytes(expected);
        _agent.Stdio = async (requests, responses) =>
        {
            await OpenAsync(requests);
            foreach (byte[] chunk in expected.Chunk(100_000))
            {
                await responses.WriteAsync(new StdioFromGuest { Stdout = ByteString.CopyFrom(chunk) });
            }

            await responses.WriteAsync(new StdioFromGuest { Drained = new StdioDrained() });
            _agent.Exit.TrySetResult(7);
            await RestAsync(requests);
        };
        using GatedStream output = new();
        await using AgentConnection connection = await ConnectAsync();
        await using GuestProcess process = Attach(connection, new ProcessStdio { Output = output });
        await output.WriteStarted.Task.Within();
        Assert.False(process.Exited.IsCompleted);
        output.Open();
        ProcessExit exit = await process.Exited.Within();
        Assert.Equal((7u, null), (exit.Status, exit.Reason));
        Assert.Equal(expected, output.Taken);
    }

    [Fact]
    public async Task Dispose_DescendantHasTheOutputs_GuestIsToldThatNobodyReads()
    {
        _agent.Stdio = async (requests, responses) =>
        {
            await OpenAsync(requests);
            await responses.WriteAsync(new StdioFromGuest { Drained = new StdioDrained() });
            _agent.Exit.TrySetResult(0);
            while (await requests.MoveNext(CancellationToken.None))
            {
                _received.Enqueue(requests.Current); // the call goes on: a descendant holds the pipes
            }
        };
        await using AgentConnection connection = await ConnectAsync();
        GuestProcess process = Attach(connection, new ProcessStdio { Output = new MemoryStream(), Error = new MemoryStream() });
        await process.Exited.Within();

        await process.DisposeAsync().AsTask().Within();

        while (!_received.Any(static frame => frame.StdoutClosed) || !_received.Any(static frame => frame.StderrClosed))
        {
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Output_CallEndsWhileTheReaderIsSlow_NothingIsLost()
    {
        _agent.Stdio = async (requests, responses) =>
        {
            await OpenAsync(requests);
            for (int i = 0; i < 8; i++)
            {
                await responses.WriteAsync(new StdioFromGuest { Stdout = ByteString.CopyFrom(new byte[128 * 1024]) });
            }

            await responses.WriteAsync(new StdioFromGuest { StdoutEof = true });
            await responses.WriteAsync(new StdioFromGuest { StderrEof = true });
            await responses.WriteAsync(new StdioFromGuest { Drained = new StdioDrained() });
            _agent.Exit.TrySetResult(0);
        };
        using GatedStream output = new();
        await using AgentConnection connection = await ConnectAsync();
        await using GuestProcess process = Attach(connection, new ProcessStdio { Output = output });
        await output.WriteStarted.Task.Within();
        await WaitForAsync(_agent.Exit.Task);
        output.Open();
        await process.Exited.Within();
        Assert.Equal(1024 * 1024, output.Taken.Length);
        await output.Closed.Task.Within();
    }

    [Fact]
    public async Task Output_ReaderTakesNothing_HoldsUpOnlyItsOwnStream()
    {
        _agent.Stdio = async (requests, responses) =>
        {
            await OpenAsync(requests);
            await responses.WriteAsync(new StdioFromGuest { Stdout = ByteString.CopyFromUtf8("stuck") });
            await responses.WriteAsync(new StdioFromGuest { Stderr = ByteString.CopyFromUtf8("flows") });
            await responses.WriteAsync(new StdioFromGuest { StderrEof = true });
            await RestAsync(requests);
        };
        using GatedStream output = new();
        using GatedStream error = GatedStream.OpenOne();
        await using AgentConnection connection = await ConnectAsync();
        await using GuestProcess process = Attach(connection, new ProcessStdio { Output = output, Error = error });
        await error.Closed.Task.Within();
        Assert.Equal("flows", Encoding.UTF8.GetString(error.Taken));
        Assert.Empty(output.Taken);
        await connection.Agent.SignalProcessAsync(new Agent.Protocol.SignalProcessRequest(), connection.Timed(CancellationToken.None))
            .ResponseAsync.Within();
    }

    [Fact]
    public async Task Exit_ReaderNeverReads_IsReportedAfterTheDrainLimit()
    {
        _agent.Stdio = async (requests, responses) =>
        {
            await OpenAsync(requests);
            await responses.WriteAsync(new StdioFromGuest { Stdout = ByteString.CopyFromUtf8("never read") });
            await responses.WriteAsync(new StdioFromGuest { Drained = new StdioDrained() });
            await RestAsync(requests);
        };
        using GatedStream output = new();
        await using AgentConnection connection = await ConnectAsync();
        await using GuestProcess process = Attach(connection, new ProcessStdio { Output = output });
        await output.WriteStarted.Task.Within();
        _agent.Exit.TrySetResult(3);
        await _time.TimerCreated.Within(); // the exit has come through the connection, and the limit begins
        _time.Advance(s_drain - TimeSpan.FromSeconds(1));
        Assert.False(process.Exited.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(3u, (await process.Exited.Within()).Status);
        Assert.Empty(output.Taken);
    }

    [Fact]
    public async Task Output_ReaderHasGone_TheGuestIsTold()
    {
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _agent.Stdio = async (requests, responses) =>
        {
            await OpenAsync(requests);
            await responses.WriteAsync(new StdioFromGuest { Stdout = ByteString.CopyFromUtf8("x") });
            while (await requests.MoveNext(CancellationToken.None))
            {
                if (requests.Current.StdoutClosed)
                {
                    told.TrySetResult();
                }
            }
        };
        using GatedStream output = GatedStream.OpenOne();
        output.Broken = true;
        await using AgentConnection connection = await ConnectAsync();
        await using GuestProcess process = Attach(connection, new ProcessStdio { Output = output });
        await told.Task.Within();
    }

    [Fact]
    public async Task Output_GuestIgnoresTheWindow_ItsStreamsEnd()
    {
        _agent.Stdio = async (requests, responses) =>
        {
            await OpenAsync(requests);
            await responses.WriteAsync(new StdioFromGuest { Stdout = ByteString.CopyFromUtf8("first") });
            await responses.WriteAsync(new StdioFromGuest { Stdout = ByteString.CopyFrom(new byte[(1024 * 1024) + 1]) });
            await RestAsync(requests);
        };
        var violated = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        using GatedStream output = GatedStream.OpenOne();
        await using AgentConnection connection = await ConnectAsync();
        await using var pump = new StreamedStdioPump(
            connection.Extension!, "c1", "", new ProcessStdio { Output = output }, violated.SetResult);
        await pump.Drained.Within();
        Assert.Contains("more output than it had credit for", await violated.Task.Within(), StringComparison.Ordinal);
        await output.Closed.Task.Within();
        Assert.Equal("first", Encoding.UTF8.GetString(output.Taken));
    }

    [Fact]
    public async Task Input_IsSentWithinTheCreditAndThenEnds()
    {
        var credited = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var input = new MemoryStream();
        _agent.Stdio = async (requests, responses) =>
        {
            await OpenAsync(requests);
            await responses.WriteAsync(new StdioFromGuest { StdinCredit = 3 });
            while (input.Length < 3 && await requests.MoveNext(CancellationToken.None))
            {
                input.Write(requests.Current.Stdin.Span);
            }

            Assert.Equal(3, input.Length);
            credited.TrySetResult();
            await responses.WriteAsync(new StdioFromGuest { StdinCredit = 1000 });
            while (await requests.MoveNext(CancellationToken.None) && !requests.Current.StdinEof)
            {
                input.Write(requests.Current.Stdin.Span);
            }

            _callEnded.TrySetResult();
        };
        await using AgentConnection connection = await ConnectAsync();
        await using GuestProcess process = Attach(connection, new ProcessStdio { Input = new MemoryStream("hello world"u8.ToArray()) });
        await credited.Task.Within();
        await _callEnded.Task.Within();
        Assert.Equal("hello world", Encoding.UTF8.GetString(input.ToArray()));
    }

    [Fact]
    public async Task Input_Long_ComesInPiecesThatGrow()
    {
        byte[] expected = new byte[300_000];
        Random.Shared.NextBytes(expected);
        List<int> pieces = [];
        var input = new MemoryStream();
        _agent.Stdio = async (requests, responses) =>
        {
            await OpenAsync(requests);
            await responses.WriteAsync(new StdioFromGuest { StdinCredit = 1_000_000 });
            while (await requests.MoveNext(CancellationToken.None) && !requests.Current.StdinEof)
            {
                pieces.Add(requests.Current.Stdin.Length);
                input.Write(requests.Current.Stdin.Span);
            }

            _callEnded.TrySetResult();
        };
        await using AgentConnection connection = await ConnectAsync();
        await using GuestProcess process = Attach(connection, new ProcessStdio { Input = new MemoryStream(expected) });
        await _callEnded.Task.Within();
        Assert.Equal(expected, input.ToArray());
        Assert.Equal([4096, 8192, 16384, 32768, 65536, 65536, 65536, 41952], pieces);
    }

    [Fact]
    public async Task Input_None_EndsAtOnceAfterTheOpening()
    {
        _agent.Stdio = async (requests, _) =>
        {
            await OpenAsync(requests);
            Assert.True(await requests.MoveNext(CancellationToken.None));
            _received.Enqueue(requests.Current);
            _callEnded.TrySetResult();
        };
        await using AgentConnection connection = await ConnectAsync();
        await using GuestProcess process = Attach(connection, new ProcessStdio(), "exec1");
        await _callEnded.Task.Within();
        Assert.Equal(StdioToGuest.FrameOneofCase.Open, _received.First().FrameCase);
        Assert.Equal(("c1", "exec1"), (_received.First().Open.ContainerId, _received.First().Open.ExecId));
        Assert.True(_received.Last().StdinEof);
    }

    [Fact]
    public async Task Exit_ChannelLost_Is255WithTheReason()
    {
        _agent.Stdio = (requests, _) => RestAsync(requests);
        await using AgentConnection connection = await ConnectAsync();
        await using GuestProcess process = Attach(connection, new ProcessStdio { Output = GatedStream.OpenOne() });
        _agent.Die();
        ProcessExit exit = await process.Exited.Within();
        Assert.Equal((255u, "the machine died"), (exit.Status, exit.Reason));
        Assert.Equal(exit, process.Exit);
    }

    [Fact]
    public async Task Exit_Disposed_Is255()
    {
        _agent.Stdio = (requests, _) => RestAsync(requests);
        await using AgentConnection connection = await ConnectAsync();
        GuestProcess process = Attach(connection, new ProcessStdio());
        await process.DisposeAsync().AsTask().Within();
        Assert.Equal((255u, "the container was deleted"), ((await process.Exited.Within()).Status, process.Exit?.Reason));
    }

    [Theory]
    [InlineData(256, 0u)]
    [InlineData(-1, 255u)]
    [InlineData(137, 137u)]
    public async Task Exit_StatusOfTheGuest_IsCutToEightBits(int status, uint expected)
    {
        _agent.Exit.TrySetResult(status);
        await using AgentConnection connection = await ConnectAsync();
        await using GuestProcess process = Attach(connection, new ProcessStdio());
        Assert.Equal(expected, (await process.Exited.Within()).Status);
    }

    private static Task WaitForAsync(Task task) => task.Within();

    private static async Task RestAsync(IAsyncStreamReader<StdioToGuest> requests)
    {
        while (await requests.MoveNext(CancellationToken.None))
        {
            // until the host ends the call
        }
    }

    private async Task OpenAsync(IAsyncStreamReader<StdioToGuest> requests)
    {
        Assert.True(await requests.MoveNext(CancellationToken.None));
        _received.Enqueue(requests.Current);
    }

    private async Task<AgentConnection> ConnectAsync() =>
        await AgentConnection.OpenAsync(
            _agent.HostEnd, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10), TimeProvider.System, CancellationToken.None).Within();

    private GuestProcess Attach(AgentConnection connection, ProcessStdio stdio, string execId = "")
    {
        var process = new GuestProcess(connection, "c1", execId, s_drain, static () => Task.FromResult("the machine died"), _time);
        process.Attach(stdio);
        return process;
    }
}
