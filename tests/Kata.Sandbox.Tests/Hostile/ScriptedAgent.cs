using Grpc.Core;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.Testing;
using Kata.TtRpc;

namespace Kata.Sandbox.Tests.Hostile;

/// <summary>A guest's agent at the other end of a connection in memory, which does what a test wants it to.</summary>
internal sealed class ScriptedAgent : AgentService.AgentServiceBase, IAsyncDisposable
{
    private readonly InMemoryDuplex _far;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _serving;

    public ScriptedAgent()
    {
        (Near, _far) = InMemoryDuplex.CreatePair();
        var server = new TtRpcServer();
        AgentService.BindService(server.Services, this);
        AgentExtension.BindService(server.Services, new Extension(this));
        Health.BindService(server.Services, new HealthService(this));
        _serving = server.ServeAsync(_far, _stopping.Token); // ends on _stopping or with the connection
    }

    /// <summary>The runtime's end.</summary>
    public InMemoryDuplex Near { get; }

    /// <summary>What the agent does with the streams of a process.</summary>
    public Func<IAsyncStreamReader<StdioToGuest>, IServerStreamWriter<StdioFromGuest>, ServerCallContext, Task> Stdio { get; set; } =
        static (_, _, context) => Task.Delay(Timeout.Infinite, context.CancellationToken);

    /// <summary>What happens before the agent answers whether it lives.</summary>
    public Func<ServerCallContext, Task> Check { get; set; } = static _ => Task.CompletedTask;

    /// <summary>When the process ends, and with what.</summary>
    public TaskCompletionSource<int> Exit { get; } = new();

    public override Task<GuestDetailsResponse> GetGuestDetails(GuestDetailsRequest request, ServerCallContext context)
    {
        var details = new GuestDetailsResponse { AgentDetails = new AgentDetails() };
        details.AgentDetails.ExtraFeatures.Add(AgentConnection.ExtensionFeature);
        return Task.FromResult(details);
    }

    public override async Task<WaitProcessResponse> WaitProcess(WaitProcessRequest request, ServerCallContext context) =>
        new() { Status = await Exit.Task.WaitAsync(context.CancellationToken) };

    /// <summary>The machine dies: the channel closes without a word.</summary>
    public async Task HangUpAsync()
    {
        await _stopping.CancelAsync();
        await _far.DisposeAsync();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async ValueTask DisposeAsync()
    {
        await HangUpAsync();
        _stopping.Dispose();
    }

    private sealed class HealthService(ScriptedAgent agent) : Health.HealthBase
    {
        public override async Task<HealthCheckResponse> Check(CheckRequest request, ServerCallContext context)
        {
            await agent.Check(context);
            return new HealthCheckResponse();
        }
    }

    private sealed class Extension(ScriptedAgent agent) : AgentExtension.AgentExtensionBase
    {
        public override Task<HelloResponse> Hello(HelloRequest request, ServerCallContext context) =>
            Task.FromResult(new HelloResponse { Protocol = 1 });

        public override Task Stdio(
            IAsyncStreamReader<StdioToGuest> requestStream, IServerStreamWriter<StdioFromGuest> responseStream,
            ServerCallContext context) =>
            agent.Stdio(requestStream, responseStream, context);
    }
}
