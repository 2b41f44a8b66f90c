using System.Text;
using Kata.Linux;
using Kata.Sandbox;
using Kata.Testing;

namespace Kata.Service.Tests;

/// <summary>A server of stand-ins on a real socket, with pipes as their caller's streams and a scripted agent behind it.</summary>
public abstract class StandInHarness : IAsyncDisposable
{
    private AgentConnection? _connection;

    private protected StandInHarness()
    {
        Journal = AcquisitionJournal.Open(JournalPath);
        Server = new StandInServer(SocketPath, Journal, Time);
        (SafeFileDescriptor inputRead, SafeFileDescriptor inputWrite) = Pipe.Create();
        (SafeFileDescriptor outputRead, SafeFileDescriptor outputWrite) = Pipe.Create();
        (Input, Output) = (new DescriptorStream(inputWrite), new DescriptorStream(outputRead));
        Streams = [inputRead, outputWrite, outputWrite.Duplicate()];
        Agent.Stdio = static async (requests, _) =>
        {
            while (await requests.MoveNext(CancellationToken.None))
            {
                // until the host ends the call
            }
        };
    }

    private protected TemporaryDirectory Scratch { get; } = new();

    private protected SignallingTimeProvider Time { get; } = new();

    private protected ScriptedAgent Agent { get; } = new();

    private protected AcquisitionJournal Journal { get; }

    private protected StandInServer Server { get; }

    private protected DescriptorStream Input { get; }

    private protected DescriptorStream Output { get; }

    private protected SafeFileDescriptor[] Streams { get; }

    private protected string JournalPath => Scratch.File("journal");

    private protected string SocketPath => Scratch.File("stand-in.sock");

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }

        await Agent.DisposeAsync();
        await Input.DisposeAsync();
        await Output.DisposeAsync();
        CloseOurs();
        Journal.Dispose();
        Scratch.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected void CloseOurs() => Array.ForEach(Streams, static stream => stream.Dispose());

    private protected static byte[] Hello(string container) =>
        Encoding.UTF8.GetBytes($"{{\"container\":\"{container}\",\"execId\":\"\"}}\n");

    private protected Task<StandIn> ConnectAsync(string container, string execId, bool detached = false) =>
        StandIn.ConnectAsync(SocketPath, container, execId, null, Streams, plainNewlines: false, detached, CancellationToken.None).Within();

    private protected async Task<(StandIn StandIn, StandInSession Session, GuestProcess Process)> ServeAsync(string lossReason = "lost")
    {
        StandIn standIn = await ConnectAsync("c1", "");
        StandInSession session = Server.Take("c1", "")!;
        return (standIn, session, await AttachAsync(session, lossReason));
    }

    private protected async Task<GuestProcess> AttachAsync(StandInSession session, string lossReason)
    {
        _connection = await AgentConnection.OpenAsync(
            Agent.HostEnd, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10), TimeProvider.System, CancellationToken.None).Within();
        var process = new GuestProcess(
            _connection, "c1", "", TimeSpan.FromMilliseconds(1), () => Task.FromResult(lossReason), TimeProvider.System);
        process.Attach(session.Stdio);
        return process;
    }

    private protected Task<string> NextRequestAsync() => Agent.Requests.Reader.ReadAsync().AsTask().Within();

    private protected async Task<string> ReadOutputAsync()
    {
        byte[] buffer = new byte[100];
        return Encoding.UTF8.GetString(buffer, 0, await Output.ReadAsync(buffer).AsTask().Within());
    }
}
