using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.TtRpc;

namespace Kata.Testing;

/// <summary>A guest's agent that does what a test tells it to, behind an in-memory connection.</summary>
internal sealed class ScriptedAgent : IAsyncDisposable
{
    private readonly InMemoryDuplex _guestEnd;
    private readonly Task _serving;

    public ScriptedAgent()
    {
        (InMemoryDuplex host, _guestEnd) = InMemoryDuplex.CreatePair();
        HostEnd = host;
        var server = new TtRpcServer();
        AgentService.BindService(server.Services, new Common(this));
        AgentExtension.BindService(server.Services, new Extension(this));
        _serving = server.ServeAsync(_guestEnd, CancellationToken.None); // ends with the connection
    }

    /// <summary>The host's end; whoever opens the connection owns it.</summary>
    public Stream HostEnd { get; }

    /// <summary>What GetGuestDetails says; null stays silent.</summary>
    public AgentDetails? Details { get; set; } = new() { ExtraFeatures = { "kata.agent.v1" }, SupportsSeccomp = true };

    public HelloResponse Hello { get; set; } = new() { Protocol = 1, AgentVersion = "scripted" };

    /// <summary>The body of the Stdio call.</summary>
    public Func<IAsyncStreamReader<StdioToGuest>, IServerStreamWriter<StdioFromGuest>, Task> Stdio { get; set; } =
        static (_, _) => Task.CompletedTask;

    /// <summary>Completes every WaitProcess.</summary>
    public TaskCompletionSource<int> Exit { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Signals that came, as <c>CONTAINER/EXEC SIGNAL</c>.</summary>
    public System.Threading.Channels.Channel<string> Requests { get; } = System.Threading.Channels.Channel.CreateUnbounded<string>();

    public Func<ReadStreamRequest, Task<ReadStreamResponse>> ReadStdout { get; set; } =
        static _ => Task.FromResult(new ReadStreamResponse());

    public Func<WriteStreamRequest, Task<WriteStreamResponse>> WriteStdin { get; set; } =
        static request => Task.FromResult(new WriteStreamResponse { Len = (uint)request.Data.Length });

    public TaskCompletionSource StdinClosed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The virtual machine dies: the connection breaks.</summary>
    public void Die() => _guestEnd.Dispose();

    public async ValueTask DisposeAsync()
    {
        Exit.TrySetCanceled();
        await _guestEnd.DisposeAsync();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private sealed class Common(ScriptedAgent script) : AgentService.AgentServiceBase
    {
        public override async Task<GuestDetailsResponse> GetGuestDetails(GuestDetailsRequest request, ServerCallContext context)
        {
            if (script.Details is null)
            {
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
            }

            return new GuestDetailsResponse { AgentDetails = script.Details };
        }

        public override async Task<WaitProcessResponse> WaitProcess(WaitProcessRequest request, ServerCallContext context) =>
            new() { Status = await script.Exit.Task.WaitAsync(context.CancellationToken) };

        public override Task<Empty> SignalProcess(SignalProcessRequest request, ServerCallContext context)
        {
            script.Requests.Writer.TryWrite($"signal {request.ContainerId}/{request.ExecId} {request.Signal}");
            return Task.FromResult(new Empty());
        }

        public override Task<Empty> TtyWinResize(TtyWinResizeRequest request, ServerCallContext context)
        {
            script.Requests.Writer.TryWrite($"resize {request.ContainerId}/{request.ExecId} {request.Row}x{request.Column}");
            return Task.FromResult(new Empty());
        }

        public override Task<ReadStreamResponse> ReadStdout(ReadStreamRequest request, ServerCallContext context) =>
            script.ReadStdout(request);

        public override Task<ReadStreamResponse> ReadStderr(ReadStreamRequest request, ServerCallContext context) =>
            Task.FromResult(new ReadStreamResponse());

        public override Task<WriteStreamResponse> WriteStdin(WriteStreamRequest request, ServerCallContext context) =>
            script.WriteStdin(request);

        public override Task<Empty> CloseStdin(CloseStdinRequest request, ServerCallContext context)
        {
            script.StdinClosed.TrySetResult();
            return Task.FromResult(new Empty());
        }
    }

    private sealed class Extension(ScriptedAgent script) : AgentExtension.AgentExtensionBase
    {
        public override Task<HelloResponse> Hello(HelloRequest request, ServerCallContext context) => Task.FromResult(script.Hello);

        public override Task Stdio(
            IAsyncStreamReader<StdioToGuest> requestStream,
            IServerStreamWriter<StdioFromGuest> responseStream,
            ServerCallContext context) =>
            script.Stdio(requestStream, responseStream);
    }
}
