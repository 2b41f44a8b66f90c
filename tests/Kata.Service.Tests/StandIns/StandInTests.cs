using System.Text;
using Kata.Linux;
using Kata.Sandbox;
using Kata.Testing;
using StdioFromGuest = Kata.Agent.Protocol.Extension.StdioFromGuest;

namespace Kata.Service.Tests;

/// <summary>A stand-in and its process in the guest.</summary>
public sealed class StandInTests : StandInHarness
{
    [Fact]
    public async Task WaitAsync_ProcessEnds_HasItsStatus()
    {
        (StandIn standIn, StandInSession session, GuestProcess process) = await ServeAsync();
        await using (standIn)
        await using (session)
        await using (process)
        {
            Task serving = session.ServeAsync(process, Task.CompletedTask, CancellationToken.None);
            Agent.Exit.TrySetResult(42);
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
            Agent.Die();
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
            Agent.Die();
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
        Agent.Stdio = async (requests, responses) =>
        {
            Assert.True(await requests.MoveNext(CancellationToken.None));
            await responses.WriteAsync(new StdioFromGuest { StderrEof = true });
            while (await requests.MoveNext(CancellationToken.None))
            {
                // until the host ends the call
            }
        };
        await using StandIn standIn = await ConnectAsync("c1", "", detached);
        await using StandInSession session = Server.Take("c1", "")!;
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

        Agent.Exit.TrySetResult(3);
        Assert.Equal((3, null), await waiting.Within());
        Assert.Equal(times, told);
        await serving.Within();
    }

    [Fact]
    public async Task ServeAsync_MachineIsLost_KeepsTheErrorForTheReason()
    {
        await using StandIn standIn = await ConnectAsync("c1", "", detached: true);
        await using StandInSession session = Server.Take("c1", "")!;
        await using GuestProcess process = await AttachAsync(session, "lost");
        Task serving = session.ServeAsync(process, Task.CompletedTask, CancellationToken.None);
        Agent.Die();
        Assert.Equal(
            (255, "lost"), await standIn.WaitAsync(static () => Assert.Fail("it was not closed"), CancellationToken.None).Within());
        await serving.Within();
    }

    [Fact]
    public async Task ServeAsync_Requests_ReachTheGuestAndUnknownOnesAreIgnored()
    {
        using SafeFileDescriptor socket = UnixSocket.Connect(SocketPath);
        DescriptorPassing.Send(socket, Hello("c1"), Streams);
        await using var client = new LineConnection(new DescriptorStream(socket.Duplicate()));
        Assert.Equal("ok", await client.ReadLineAsync(null, CancellationToken.None).Within());
        await using StandInSession session = Server.Take("c1", "")!;
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
        DescriptorPassing.Send(socket, Hello("c1"), Streams);
        await using var client = new DescriptorStream(socket.Duplicate());
        await client.ReadExactlyAsync(new byte[3]).AsTask().Within(); // ok
        await using StandInSession session = Server.Take("c1", "")!;
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
        await using StandInSession session = Server.Take("c1", "")!;
        await session.AbandonAsync(CancellationToken.None).Within();
        Assert.Equal((255, null), await standIn.WaitAsync(null, CancellationToken.None).Within());
    }

    [Fact]
    public async Task WaitAsync_ServiceIsGone_Is255()
    {
        await using StandIn standIn = await ConnectAsync("c1", "");
        await Server.DisposeAsync().AsTask().Within();
        Assert.Equal((255, "the pod's service has ended unexpectedly"), await standIn.WaitAsync(null, CancellationToken.None).Within());
    }
}
