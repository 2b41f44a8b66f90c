using System.Text;
using Kata.Linux;
using Kata.Sandbox;
using Kata.Testing;
using StdioFromGuest = Kata.Agent.Protocol.Extension.StdioFromGuest;

namespace Kata.Service.Tests;

/// <summary>A stand-in and its server over a real socket, with pipes as the caller's streams.</summary>
public sealed class StandInTests : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly SignallingTimeProvider _time = new();
    private readonly ScriptedAgent _agent = new();
    private readonly AcquisitionJournal _journal;
    private readonly StandInServer _server;
    private readonly DescriptorStream _input;
    private readonly DescriptorStream _output;
    private readonly SafeFileDescriptor[] _streams;
    private AgentConnection? _connection;

    public StandInTests()
    {
        _journal = AcquisitionJournal.Open(JournalPath);
        _server = new StandInServer(SocketPath, _journal, _time);
        (SafeFileDescriptor inputRead, SafeFileDescriptor inputWrite) = Pipe.Create();
        (SafeFileDescriptor outputRead, SafeFileDescriptor outputWrite) = Pipe.Create();
        (_input, _output) = (new DescriptorStream(inputWrite), new DescriptorStream(outputRead));
        _streams = [inputRead, outputWrite, outputWrite.Duplicate()];
        _agent.Stdio = static async (requests, _) =>
        {
            while (await requests.MoveNext(CancellationToken.None))
            {
                // until the host ends the call
            }
        };
    }

    private string JournalPath => _directory.File("journal");

    private string SocketPath => _directory.File("stand-in.sock");

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }

        await _agent.DisposeAsync();
        await _input.DisposeAsync();
        await _output.DisposeAsync();
        CloseOurs();
        _journal.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task ConnectAsync_Hello_ReachesWhoeverTakesIt()
    {
        await using StandIn standIn = await ConnectAsync("c1", "e1");
        Assert.Null(_server.Take("c1", ""));
        await using StandInSession session = _server.Take("c1", "e1")!;
        Assert.Null(_server.Take("c1", "e1"));
        Assert.Equal(("c1", "e1", false), (session.Hello.Container, session.Hello.ExecId, session.Hello.Terminal));
        Assert.Equal(Environment.ProcessId, session.Pid);
        await session.Stdio.Output!.WriteAsync("out"u8.ToArray());
        Assert.Equal("out", await ReadOutputAsync());
        await _input.WriteAsync("in"u8.ToArray());
        Assert.Equal(2, await session.Stdio.Input!.ReadAsync(new byte[10]).AsTask().Within());
    }

    [Fact]
    public async Task ConnectAsync_SameProcessTwice_TheSecondIsRefusedAndItsStreamsAreClosed()
    {
        await using StandIn first = await ConnectAsync("c1", "");
        (SafeFileDescriptor read, SafeFileDescriptor write) = Pipe.Create();
        await using var output = new DescriptorStream(read);
        using (write)
        {
            IOException error = await Assert.ThrowsAsync<IOException>(
                () => StandIn.ConnectAsync(SocketPath, "c1", "", null, [_streams[0], write, write], plainNewlines: false, detached: false, CancellationToken.None)).Within();
            Assert.Equal("Cannot register with the pod's service: this process has a stand-in already. End the other command first", error.Message);
        }

        Assert.Equal(0, await output.ReadAsync(new byte[1]).AsTask().Within());
        await using StandInSession? session = _server.Take("c1", "");
        Assert.NotNull(session);
    }

    [Fact]
    public async Task ConnectAsync_TooManyWait_IsRefusedWithAnotherText()
    {
        var waiting = new List<StandIn>();
        for (int i = 0; i < StandInServer.MaxWaiting; i++)
        {
            waiting.Add(await ConnectAsync("c1", $"e{i}"));
        }

        IOException error = await Assert.ThrowsAsync<IOException>(() => ConnectAsync("c1", "one more"));
        Assert.Contains("256 commands of this pod wait for their processes already. Wait for some of them to end", error.Message, StringComparison.Ordinal);
        foreach (StandIn standIn in waiting)
        {
            await standIn.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public async Task ConnectAsync_Detached_IsInTheJournal(bool detached, int records)
    {
        await using StandIn standIn = await ConnectAsync("c1", "", detached);
        IReadOnlyList<Acquisition> held = AcquisitionJournal.ReadHeld(JournalPath);
        Assert.Equal(records, held.Count);
        Assert.All(held, static item => Assert.Equal((AcquisitionKind.Process, ProcessIdentity.Of(Environment.ProcessId)!.ToString()), (item.Kind, item.Value)));
    }

    [Fact]
    public async Task RecordUntilItEnds_ProcessEnds_IsNoLongerInTheJournal()
    {
        using ChildProcess process = ChildProcess.Start(new SpawnOptions { Path = "/bin/sleep", Arguments = ["sleep", "1000"], Environment = [] });
        Task recorded = _server.RecordUntilItEnds(process.Pid);
        Assert.Equal(ProcessIdentity.Of(process.Pid)!.ToString(), Assert.Single(AcquisitionJournal.ReadHeld(JournalPath)).Value);
        process.Kill(Signals.SIGKILL);
        await recorded.Within();
        Assert.Empty(AcquisitionJournal.ReadHeld(JournalPath));
    }

    [Fact]
    public async Task DisposeAsync_RecordedProcessLives_StaysInTheJournal()
    {
        using ChildProcess process = ChildProcess.Start(new SpawnOptions { Path = "/bin/sleep", Arguments = ["sleep", "1000"], Environment = [] });
        Task recorded = _server.RecordUntilItEnds(process.Pid);
        await _server.DisposeAsync().AsTask().Within();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => recorded).Within();
        Assert.Single(AcquisitionJournal.ReadHeld(JournalPath));
        process.Kill(Signals.SIGKILL);
    }

    [Fact]
    public async Task DropAsync_Container_SendsAwayItsWaitingStandIns()
    {
        await using StandIn first = await ConnectAsync("c1", "");
        await using StandIn exec = await ConnectAsync("c1", "e1");
        await using StandIn other = await ConnectAsync("c2", "");
        await _server.DropAsync("c1");
        Assert.Equal(255, (await first.WaitAsync(null, CancellationToken.None).Within()).Status);
        Assert.Equal(255, (await exec.WaitAsync(null, CancellationToken.None).Within()).Status);
        Assert.Null(_server.Take("c1", "e1"));
        await using StandInSession? left = _server.Take("c2", "");
        Assert.NotNull(left);
    }

    [Fact]
    public async Task Welcome_WrongDescriptorCount_ClosesAllOfIt()
    {
        using SafeFileDescriptor socket = UnixSocket.Connect(SocketPath);
        DescriptorPassing.Send(socket, Hello("c1"), [_streams[1], _streams[2]]);
        CloseOurs();
        await using var connection = new DescriptorStream(socket.Duplicate());
        Assert.Equal(0, await connection.ReadAsync(new byte[10]).AsTask().Within());
        Assert.Equal(0, await _output.ReadAsync(new byte[10]).AsTask().Within());
        Assert.Null(_server.Take("c1", ""));
    }

    [Theory]
    [InlineData("not json\n")]
    [InlineData("null\n")]
    [InlineData("{}\n")]
    [InlineData("{\"container\":null,\"execId\":\"\"}\n")]
    public async Task Welcome_Garbage_ClosesItAndServesTheNext(string text)
    {
        await using var stranger = new DescriptorStream(UnixSocket.Connect(SocketPath));
        await stranger.WriteAsync(Encoding.UTF8.GetBytes(text));
        Assert.Equal(0, await stranger.ReadAsync(new byte[10]).AsTask().Within());
        await using StandIn standIn = await ConnectAsync("c1", "");
    }

    [Fact]
    public async Task Welcome_EndlessHello_ClosesItAndServesTheNext()
    {
        await using var stranger = new DescriptorStream(UnixSocket.Connect(SocketPath));
        await stranger.WriteAsync(new byte[4096]);
        Assert.Equal(0, await stranger.ReadAsync(new byte[10]).AsTask().Within());
        await using StandIn standIn = await ConnectAsync("c1", "");
    }

    [Fact]
    public async Task Welcome_JournalOnAFullDisk_TellsWhy()
    {
        string path = _directory.File("full");
        File.CreateSymbolicLink(path, "/dev/full");
        using var journal = AcquisitionJournal.Open(path);
        await using var server = new StandInServer(_directory.File("full.sock"), journal, _time);

        IOException error = await Assert.ThrowsAsync<IOException>(
            () => StandIn.ConnectAsync(_directory.File("full.sock"), "c1", "", null, _streams, plainNewlines: false, detached: true, CancellationToken.None)).Within();

        Assert.StartsWith("Cannot register with the pod's service: Cannot record in the journal", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("No space left on device (ENOSPC)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Welcome_SilentPeer_IsDroppedAtTheLimit()
    {
        await using var silent = new DescriptorStream(UnixSocket.Connect(SocketPath));
        await _time.TimerCreated.Within();
        Task<StandIn> next = ConnectAsync("c1", "");
        Assert.False(next.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(31));
        await using StandIn standIn = await next;
        Assert.Equal(0, await silent.ReadAsync(new byte[10]).AsTask().Within());
    }

    [Fact]
    public async Task WaitAsync_ProcessEnds_HasItsStatus()
    {
        (StandIn standIn, StandInSession session, GuestProcess process) = await ServeAsync();
        await using (standIn)
        await using (session)
        await using (process)
        {
            Task serving = session.ServeAsync(process, Task.CompletedTask, CancellationToken.None);
            _agent.Exit.TrySetResult(42);
            Assert.Equal((42, null), await standIn.WaitAsync(null, CancellationToken.None).Within());
            await serving.Within();
        }
    }

    [Theory]
    [InlineData("the VM died:\n| panic\r\n| end", "the VM died: | | panic | | end")]
    [InlineData("short", "short")]
    public async Task WaitAsync_ProcessLost_Is255WithTheReasonInOneLine(string reason, string expected)
    {
        (StandIn standIn, StandInSession session, GuestProcess process) = await ServeAsync(reason);
        await using (standIn)
        await using (session)
        await using (process)
        {
            Task serving = session.ServeAsync(process, Task.CompletedTask, CancellationToken.None);
            _agent.Die();
            Assert.Equal((255, expected), await standIn.WaitAsync(null, CancellationToken.None).Within());
            await serving.Within();
        }
    }

    [Fact]
    public async Task WaitAsync_EndlessReason_IsCut()
    {
        (StandIn standIn, StandInSession session, GuestProcess process) = await ServeAsync(new string('€', 10_000) + " the end");
        await using (standIn)
        await using (session)
        await using (process)
        {
            Task serving = session.ServeAsync(process, Task.CompletedTask, CancellationToken.None);
            _agent.Die();
            (int status, string? reason) = await standIn.WaitAsync(null, CancellationToken.None).Within();
            Assert.Equal(255, status);
            Assert.StartsWith("€€€", reason, StringComparison.Ordinal);
            Assert.EndsWith("€ the end", reason, StringComparison.Ordinal);
            await serving.Within();
        }
    }

    [Theory]
    [InlineData(true, 1)] // its standard error is kept for it, and ends with the process's
    [InlineData(false, 0)] // the caller's own, in the foreground
    public async Task ServeAsync_ProcessClosesItsError_TellsADetachedStandIn(bool detached, int times)
    {
        int told = 0;
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _agent.Stdio = async (requests, responses) =>
        {
            Assert.True(await requests.MoveNext(CancellationToken.None));
            await responses.WriteAsync(new StdioFromGuest { StderrEof = true });
            while (await requests.MoveNext(CancellationToken.None))
            {
                // until the host ends the call
            }
        };
        await using StandIn standIn = await ConnectAsync("c1", "", detached);
        await using StandInSession session = _server.Take("c1", "")!;
        await using GuestProcess process = await AttachAsync(session, "lost");
        Task serving = session.ServeAsync(process, Task.CompletedTask, CancellationToken.None);
        Task<(int Status, string? Reason)> waiting = standIn.WaitAsync(
            () =>
            {
                told++;
                heard.SetResult();
            }, CancellationToken.None);
        await process.ErrorClosed.Within();
        if (detached)
        {
            await heard.Task.Within();
        }

        _agent.Exit.TrySetResult(3);
        Assert.Equal((3, null), await waiting.Within());
        Assert.Equal(times, told);
        await serving.Within();
    }

    [Fact]
    public async Task ServeAsync_MachineIsLost_KeepsTheErrorForTheReason()
    {
        await using StandIn standIn = await ConnectAsync("c1", "", detached: true);
        await using StandInSession session = _server.Take("c1", "")!;
        await using GuestProcess process = await AttachAsync(session, "lost");
        Task serving = session.ServeAsync(process, Task.CompletedTask, CancellationToken.None);
        _agent.Die();
        Assert.Equal((255, "lost"), await standIn.WaitAsync(static () => Assert.Fail("it was not closed"), CancellationToken.None).Within());
        await serving.Within();
    }

    [Fact]
    public async Task ServeAsync_Requests_ReachTheGuestAndUnknownOnesAreIgnored()
    {
        using SafeFileDescriptor socket = UnixSocket.Connect(SocketPath);
        DescriptorPassing.Send(socket, Hello("c1"), _streams);
        await using var client = new LineConnection(new DescriptorStream(socket.Duplicate()));
        Assert.Equal("ok", await client.ReadLineAsync(null, CancellationToken.None).Within());
        await using StandInSession session = _server.Take("c1", "")!;
        await using GuestProcess process = await AttachAsync(session, "lost");
        Task serving = session.ServeAsync(process, Task.CompletedTask, CancellationToken.None);
        foreach (string line in new[] { "signal 15", "signal x", "signal -9", "dance", "", "resize 24 80", "resize 24" })
        {
            await client.WriteLineAsync(line, CancellationToken.None);
        }

        await client.DisposeAsync();
        socket.Dispose();
        await serving.Within();
        Assert.Equal("signal c1/c1 15", await NextRequestAsync());
        Assert.Equal("resize c1/c1 24x80", await NextRequestAsync());
        Assert.Equal("signal c1/c1 9", await NextRequestAsync()); // a stand-in that is gone takes its process with it
    }

    [Fact]
    public async Task ServeAsync_LineWithoutEnd_KillsTheProcessAsItsDeathWould()
    {
        using SafeFileDescriptor socket = UnixSocket.Connect(SocketPath);
        DescriptorPassing.Send(socket, Hello("c1"), _streams);
        await using var client = new DescriptorStream(socket.Duplicate());
        await client.ReadExactlyAsync(new byte[3]).AsTask().Within(); // ok
        await using StandInSession session = _server.Take("c1", "")!;
        await using GuestProcess process = await AttachAsync(session, "lost");
        Task serving = session.ServeAsync(process, Task.CompletedTask, CancellationToken.None);
        await client.WriteAsync(Encoding.UTF8.GetBytes(new string('x', 5000))).AsTask().Within();
        await serving.Within();
        Assert.Equal("signal c1/c1 9", await NextRequestAsync());
    }

    [Fact]
    public async Task AbandonAsync_TellsTheStandInAndNoReason()
    {
        await using StandIn standIn = await ConnectAsync("c1", "");
        await using StandInSession session = _server.Take("c1", "")!;
        await session.AbandonAsync(CancellationToken.None).Within();
        Assert.Equal((255, null), await standIn.WaitAsync(null, CancellationToken.None).Within());
    }

    [Fact]
    public async Task WaitAsync_ServiceIsGone_Is255()
    {
        await using StandIn standIn = await ConnectAsync("c1", "");
        await _server.DisposeAsync().AsTask().Within();
        Assert.Equal((255, "the pod's service has ended unexpectedly"), await standIn.WaitAsync(null, CancellationToken.None).Within());
    }

    private static byte[] Hello(string container) => Encoding.UTF8.GetBytes($"{{\"container\":\"{container}\",\"execId\":\"\"}}\n");

    private void CloseOurs() => Array.ForEach(_streams, static stream => stream.Dispose());

    private Task<StandIn> ConnectAsync(string container, string execId, bool detached = false) =>
        StandIn.ConnectAsync(SocketPath, container, execId, null, _streams, plainNewlines: false, detached, CancellationToken.None).Within();

    private async Task<(StandIn StandIn, StandInSession Session, GuestProcess Process)> ServeAsync(string lossReason = "lost")
    {
        StandIn standIn = await ConnectAsync("c1", "");
        StandInSession session = _server.Take("c1", "")!;
        return (standIn, session, await AttachAsync(session, lossReason));
    }

    private async Task<GuestProcess> AttachAsync(StandInSession session, string lossReason)
    {
        _connection = await AgentConnection.OpenAsync(_agent.HostEnd, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10), TimeProvider.System, CancellationToken.None).Within();
        var process = new GuestProcess(
            _connection, "c1", "", TimeSpan.FromMilliseconds(1), () => Task.FromResult(lossReason), TimeProvider.System);
        process.Attach(session.Stdio);
        return process;
    }

    private Task<string> NextRequestAsync() => _agent.Requests.Reader.ReadAsync().AsTask().Within();

    private async Task<string> ReadOutputAsync()
    {
        byte[] buffer = new byte[100];
        return Encoding.UTF8.GetString(buffer, 0, await _output.ReadAsync(buffer).AsTask().Within());
    }
}
