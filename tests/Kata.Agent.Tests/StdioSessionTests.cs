using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Stdio;
using Kata.Linux;

namespace Kata.Agent.Tests;

public sealed class StdioSessionTests : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10);

    private readonly ProcessStdio _stdio = ProcessStdio.CreatePipes();
    private readonly FrameQueue _toGuest = new();
    private readonly Channel<StdioFromGuest> _fromGuest = Channel.CreateUnbounded<StdioFromGuest>();
    private readonly TaskCompletionSource _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SafeFileDescriptor[] _child;

    public StdioSessionTests()
    {
        _child = [.. Enumerable.Range(0, 3).Select(number => _stdio.ChildDescriptors[number].Duplicate())];
        _stdio.ReleaseChildEnds();
    }

    public void Dispose()
    {
        _stdio.Dispose();
        Array.ForEach(_child, static descriptor => descriptor.Dispose());
    }

    [Fact]
    public void Pipes_AreOpenToEveryUser() => // by name, as /dev/stdout
        Assert.All(_child, static end => Assert.Equal(0x1B6u, FileStatus.Of(end).Mode & 0xFFF));

    [Fact]
    public async Task Run_ProcessWritesAndEnds_AllArrivesThenDrainedThenDone()
    {
        Task run = Start(stdout: 1024, stderr: 1024);
        Write(1, "out");
        Write(2, "err");
        End();
        List<StdioFromGuest> frames = await CollectAsync(run);
        Assert.Equal(StdioSession.InitialStdinCredit, frames[0].StdinCredit);
        Assert.Equal("out", Text(frames, static frame => frame.Stdout));
        Assert.Equal("err", Text(frames, static frame => frame.Stderr));
        Assert.Single(frames, static frame => frame.FrameCase == StdioFromGuest.FrameOneofCase.Drained);
        Assert.Single(frames, static frame => frame.StdoutEof);
        Assert.Single(frames, static frame => frame.StderrEof);
    }

    [Fact]
    public async Task Run_CreditUsedUp_WaitsForMore()
    {
        Task run = Start(stdout: 4, stderr: 1);
        Write(1, "abcdefgh");
        Assert.Equal("abcd", await NextStdoutAsync());
        Assert.False(_fromGuest.Reader.TryRead(out _));
        _toGuest.Send(new StdioToGuest { StdoutCredit = 3 });
        Assert.Equal("efg", await NextStdoutAsync());
        _toGuest.Send(new StdioToGuest { StdoutCredit = 100 });
        End();
        Assert.Equal("h", Text(await CollectAsync(run), static frame => frame.Stdout));
    }

    [Fact]
    public async Task Run_DescendantHoldsThePipe_DrainedComesBeforeTheEnd()
    {
        Task run = Start(stdout: 1024, stderr: 1024);
        Write(1, "first");
        ProcessEnds(); // but the child's ends stay open
        var frames = new List<StdioFromGuest>();
        do
        {
            frames.Add(await _fromGuest.Reader.ReadAsync().AsTask().WaitAsync(s_limit));
        }
        while (frames[^1].FrameCase != StdioFromGuest.FrameOneofCase.Drained);
        Assert.Equal("first", Text(frames, static frame => frame.Stdout));
        Assert.False(run.IsCompleted);
        Write(1, "late");
        Array.ForEach(_child, static descriptor => descriptor.Dispose());
        Assert.Equal("late", Text(await CollectAsync(run), static frame => frame.Stdout));
    }

    [Fact]
    public async Task Run_StdinThenEof_ReachesTheProcessAndGrantsCredit()
    {
        Task run = Start(stdout: 1024, stderr: 1024);
        _toGuest.Send(new StdioToGuest { Stdin = ByteString.CopyFromUtf8("hello") });
        _toGuest.Send(new StdioToGuest { StdinEof = true });
        await using var input = new DescriptorStream(_child[0].Duplicate());
        byte[] buffer = new byte[100];
        Assert.Equal(5, await input.ReadAsync(buffer).AsTask().WaitAsync(s_limit));
        Assert.Equal(0, await input.ReadAsync(buffer).AsTask().WaitAsync(s_limit));
        End();
        List<StdioFromGuest> frames = await CollectAsync(run);
        Assert.Equal(StdioSession.InitialStdinCredit + 5, frames.Sum(
            static frame => frame.FrameCase == StdioFromGuest.FrameOneofCase.StdinCredit ? frame.StdinCredit : 0));
    }

    [Fact]
    public async Task Run_HostOverdrawsStdin_EndsTheCall()
    {
        Task run = Start(stdout: 1024, stderr: 1024);
        _toGuest.Send(new StdioToGuest { Stdin = ByteString.CopyFrom(new byte[StdioSession.InitialStdinCredit + 1]) });
        var error = await Assert.ThrowsAsync<RpcException>(() => run.WaitAsync(s_limit));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
    }

    [Fact]
    public async Task Run_LargeOutput_ArrivesIntactInBoundedFrames()
    {
        byte[] data = new byte[3 * 1024 * 1024];
        new Random(1).NextBytes(data);
        Task run = Start(stdout: 256 * 1024, stderr: 1);
        var output = new DescriptorStream(_child[1]);
        Task write = output.WriteAsync(data).AsTask();
        var received = new MemoryStream();
        while (received.Length < data.Length)
        {
            StdioFromGuest frame = await _fromGuest.Reader.ReadAsync().AsTask().WaitAsync(s_limit);
            if (frame.FrameCase == StdioFromGuest.FrameOneofCase.Stdout)
            {
                Assert.InRange(frame.Stdout.Length, 1, 128 * 1024);
                frame.Stdout.WriteTo(received);
                _toGuest.Send(new StdioToGuest { StdoutCredit = (uint)frame.Stdout.Length });
            }
        }

        await write.WaitAsync(s_limit);
        Assert.True(received.ToArray().AsSpan().SequenceEqual(data));
        output.Dispose();
        End();
        await run.WaitAsync(s_limit);
    }

    private Task Start(uint stdout, uint stderr) =>
        RunAsync(new StdioOpen { ContainerId = "c", StdoutCredit = stdout, StderrCredit = stderr });

    private async Task RunAsync(StdioOpen open)
    {
        using var session = new StdioSession(_stdio, _exited.Task, open, _toGuest, new FrameSink(_fromGuest.Writer));
        await session.RunAsync(TestContext.Current.CancellationToken);
    }

    private void ProcessEnds()
    {
        _stdio.ProcessEnded();
        _exited.SetResult();
    }

    private void End()
    {
        Array.ForEach(_child, static descriptor => descriptor.Dispose());
        ProcessEnds();
    }

    private unsafe void Write(int number, string text)
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(text);
        fixed (byte* first = bytes)
        {
            Assert.Equal(bytes.Length, Kata.Linux.Interop.LibC.write(_child[number], first, (nuint)bytes.Length));
        }
    }

    private async Task<string> NextStdoutAsync()
    {
        while (true)
        {
            StdioFromGuest frame = await _fromGuest.Reader.ReadAsync().AsTask().WaitAsync(s_limit);
            if (frame.FrameCase == StdioFromGuest.FrameOneofCase.Stdout)
            {
                return frame.Stdout.ToStringUtf8();
            }
        }
    }

    private async Task<List<StdioFromGuest>> CollectAsync(Task run)
    {
        await run.WaitAsync(s_limit);
        _fromGuest.Writer.TryComplete();
        var frames = new List<StdioFromGuest>();
        await foreach (StdioFromGuest frame in _fromGuest.Reader.ReadAllAsync())
        {
            frames.Add(frame);
        }

        return frames;
    }

    private static string Text(IEnumerable<StdioFromGuest> frames, Func<StdioFromGuest, ByteString> choose) =>
        string.Concat(frames.Select(frame => choose(frame).ToStringUtf8()));
}
