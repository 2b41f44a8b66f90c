using System.Text;
using Kata.Linux;
using Kata.Sandbox;
using Kata.Testing;

namespace Kata.Service.Tests;

/// <summary>Who is let in, and what is kept of whom.</summary>
public sealed class StandInServerTests : StandInHarness
{
    [Fact]
    public async Task ConnectAsync_Hello_ReachesWhoeverTakesIt()
    {
        await using StandIn standIn = await ConnectAsync("c1", "e1");
        Assert.Null(Server.Take("c1", ""));
        await using StandInSession session = Server.Take("c1", "e1")!;
        Assert.Null(Server.Take("c1", "e1"));
        Assert.Equal(("c1", "e1", false), (session.Hello.Container, session.Hello.ExecId, session.Hello.Terminal));
        Assert.Equal(Environment.ProcessId, session.Pid);
        await session.Stdio.Output!.WriteAsync("out"u8.ToArray());
        Assert.Equal("out", await ReadOutputAsync());
        await Input.WriteAsync("in"u8.ToArray());
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
                () => StandIn.ConnectAsync(
                    SocketPath, "c1", "", null, [Streams[0], write, write], plainNewlines: false, detached: false,
                    CancellationToken.None)).Within();
            Assert.Equal(
                "Cannot register with the pod's service: this process has a stand-in already. End the other command first", error.Message);
        }

        Assert.Equal(0, await output.ReadAsync(new byte[1]).AsTask().Within());
        await using StandInSession? session = Server.Take("c1", "");
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
        Assert.Contains(
            "256 commands of this pod wait for their processes already. Wait for some of them to end", error.Message,
            StringComparison.Ordinal);
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
        Assert.All(held, static item => Assert.Equal(new ProcessAcquisition(ProcessIdentity.Of(Environment.ProcessId)!), item));
    }

    [Fact]
    public async Task RecordUntilItEnds_ProcessEnds_IsNoLongerInTheJournal()
    {
        ChildProcess process = ChildProcess.Start(
            new SpawnOptions { Path = "/bin/sleep", Arguments = ["sleep", "1000"], Environment = [] });
        Task recorded = Server.RecordUntilItEnds(process.Pid);
        Assert.Equal(ProcessIdentity.Of(process.Pid)!.ToString(), Assert.Single(AcquisitionJournal.ReadHeld(JournalPath)).Value);
        process.Kill(Signals.SIGKILL);
        await recorded.Within();
        Assert.Empty(AcquisitionJournal.ReadHeld(JournalPath));
    }

    [Fact]
    public async Task DisposeAsync_RecordedProcessLives_StaysInTheJournal()
    {
        ChildProcess process = ChildProcess.Start(
            new SpawnOptions { Path = "/bin/sleep", Arguments = ["sleep", "1000"], Environment = [] });
        Task recorded = Server.RecordUntilItEnds(process.Pid);
        await Server.DisposeAsync().AsTask().Within();
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
        await Server.DropAsync("c1");
        Assert.Equal(255, (await first.WaitAsync(null, CancellationToken.None).Within()).Status);
        Assert.Equal(255, (await exec.WaitAsync(null, CancellationToken.None).Within()).Status);
        Assert.Null(Server.Take("c1", "e1"));
        await using StandInSession? left = Server.Take("c2", "");
        Assert.NotNull(left);
    }

    [Fact]
    public async Task Welcome_WrongDescriptorCount_ClosesAllOfIt()
    {
        using SafeFileDescriptor socket = UnixSocket.Connect(SocketPath);
        DescriptorPassing.Send(socket, Hello("c1"), [Streams[1], Streams[2]]);
        CloseOurs();
        await using var connection = new DescriptorStream(socket.Duplicate());
        Assert.Equal(0, await connection.ReadAsync(new byte[10]).AsTask().Within());
        Assert.Equal(0, await Output.ReadAsync(new byte[10]).AsTask().Within());
        Assert.Null(Server.Take("c1", ""));
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
        string path = Scratch.File("full");
        File.CreateSymbolicLink(path, "/dev/full");
        using var journal = AcquisitionJournal.Open(path);
        await using var server = new StandInServer(Scratch.File("full.sock"), journal, Time);

        IOException error = await Assert.ThrowsAsync<IOException>(
            () => StandIn.ConnectAsync(
                Scratch.File("full.sock"), "c1", "", null, Streams, plainNewlines: false, detached: true, CancellationToken.None)).Within();

        Assert.StartsWith("Cannot register with the pod's service: Cannot record in the journal", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("No space left on device (ENOSPC)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Welcome_SilentPeer_IsDroppedAtTheLimit()
    {
        await using var silent = new DescriptorStream(UnixSocket.Connect(SocketPath));
        await Time.TimerCreated.Within();
        Task<StandIn> next = ConnectAsync("c1", "");
        Assert.False(next.IsCompleted);
        Time.Advance(TimeSpan.FromSeconds(31));
        await using StandIn standIn = await next;
        Assert.Equal(0, await silent.ReadAsync(new byte[10]).AsTask().Within());
    }
}
