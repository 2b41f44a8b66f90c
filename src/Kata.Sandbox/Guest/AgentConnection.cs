using System.Globalization;
using Grpc.Core;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.TtRpc;

namespace Kata.Sandbox;

/// <summary>
/// The service's side of the channel to one guest's agent. Every call has a deadline except those that wait for a process.
/// The guest is hostile: nothing it answers is used as a path or trusted as a size.
/// </summary>
internal sealed partial class AgentConnection : IAsyncDisposable
{
    /// <summary>The feature by which the agent offers our own service.</summary>
    public const string ExtensionFeature = "kata.agent.v1";

    /// <summary>What an agent says in Hello that carries out the specification's fields beyond the common protocol.</summary>
    public const string SpecFeature = "kata.agent.v1.spec";

    /// <summary>What an agent says in Hello whose WriteCgroup takes a whole update.</summary>
    public const string UpdateFeature = "kata.agent.v1.update";

    /// <summary>What an agent says in Hello that mounts in living containers.</summary>
    public const string MountFeature = "kata.agent.v1.mount";

    /// <summary>What an agent says in Hello that takes storages, and gives them back, while the guest lives.</summary>
    public const string StorageFeature = "kata.agent.v1.storage";

    /// <summary>What an agent says in Hello that relays questions for a name server.</summary>
    public const string NamesFeature = "kata.agent.v1.names";

    /// <summary>What an agent says in Hello that takes changes of the network with all that the kernel knows of them.</summary>
    public const string NetworkFeature = "kata.agent.v1.network";

    /// <summary>What an agent says in Hello that relays connections to the guest's loopback interface.</summary>
    public const string ConnectFeature = "kata.agent.v1.connect";

    /// <summary>The versions of that service this runtime speaks.</summary>
    public const uint ProtocolMin = 1;

    /// <inheritdoc cref="ProtocolMin"/>
    public const uint ProtocolMax = 1;

    /// <summary>The agent ends what it has begun within milliseconds.</summary>
    private static readonly TimeSpan s_undoTimeout = TimeSpan.FromSeconds(5);

    private readonly TtRpcClient _client;
    private readonly TimeSpan _requestTimeout;
    private readonly TimeProvider _time;
    private readonly TaskCompletionSource _condemned = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private AgentConnection(TtRpcClient client, TimeSpan requestTimeout, TimeProvider time)
    {
        (_client, _requestTimeout, _time) = (client, requestTimeout, time);
        Completion = Task.WhenAny(client.Completion, _condemned.Task).Unwrap();
        Agent = new AgentService.AgentServiceClient(client.CallInvoker);
    }

    public AgentService.AgentServiceClient Agent { get; }

    /// <summary>Our own service, or null when the guest has a stock agent without it.</summary>
    public AgentExtension.AgentExtensionClient? Extension { get; private set; }

    /// <summary>What the agent said about itself; text from the guest, escape before printing.</summary>
    public HelloResponse? Hello { get; private set; }

    /// <summary>Whether the guest's kernel and runtime carry out seccomp profiles.</summary>
    public bool SupportsSeccomp { get; private set; }

    /// <summary>Whether the agent carries out what <see cref="GuestExtensionBuilder"/> makes.</summary>
    public bool SupportsSpecExtension => Hello?.Features.Contains(SpecFeature) ?? false;

    /// <summary>Whether the agent makes an update of every kind of limit at once, all or nothing.</summary>
    public bool SupportsWholeUpdate => Hello?.Features.Contains(UpdateFeature) ?? false;

    /// <summary>Whether mounts can be added to a living container, and removed.</summary>
    public bool SupportsMounts => Hello?.Features.Contains(MountFeature) ?? false;

    /// <summary>Whether storages can come and go.</summary>
    public bool SupportsStorages => Hello?.Features.Contains(StorageFeature) ?? false;

    /// <summary>Whether questions for a name server that only the host reaches can be relayed.</summary>
    public bool SupportsNames => Hello?.Features.Contains(NamesFeature) ?? false;

    /// <summary>Whether the network can be changed in full: scopes, metrics, tables, rules.</summary>
    public bool SupportsNetworkChanges => Hello?.Features.Contains(NetworkFeature) ?? false;

    /// <summary>Whether connections to the guest's loopback interface can be relayed.</summary>
    public bool SupportsConnections => Hello?.Features.Contains(ConnectFeature) ?? false;

    /// <summary>Completes or faults when the channel is gone or the agent was condemned.</summary>
    public Task Completion { get; }

    /// <summary>Whether we gave the agent up, rather than it us.</summary>
    public bool IsCondemned => _condemned.Task.IsCompleted;

    /// <summary>How the agent broke the protocol, or null; safe to print.</summary>
    public string? Violation { get; private set; }

    /// <summary>The agent broke the protocol: whoever watches <see cref="Completion"/> ends its sandbox.</summary>
    public void Condemn(string violation)
    {
        Violation ??= GuestText.Escape(violation);
        _condemned.TrySetResult();
    }

    /// <summary>Takes ownership of <paramref name="channel"/> and agrees on a protocol with the agent.</summary>
    /// <param name="channel">To the agent.</param>
    /// <param name="dialTimeout">How long the agent may take to agree.</param>
    /// <param name="requestTimeout">How long one call may take from then on.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="AgentException">The agent did not answer in time, answered garbage, or speaks another protocol.</exception>
    public static async Task<AgentConnection> OpenAsync(
        Stream channel, TimeSpan dialTimeout, TimeSpan requestTimeout, TimeProvider time, CancellationToken cancellationToken)
    {
        // Not by a guest's clock: its kernel measures it at boot, against timers that come late where a busy host emulates the machine. One
        // second of it may be a sixth of ours. What we give up we undo by a call.
        var connection = new AgentConnection(
            new TtRpcClient(channel, new TtRpcOptions { TimeProvider = time, TellsDeadlines = false }), requestTimeout, time);
        try
        {
            await connection.NegotiateAsync(connection.Within(dialTimeout, cancellationToken));
            return connection;
        }
        catch (AgentException error) when (error.IsUnanswered)
        {
            await connection.DisposeAsync();
            throw new AgentException(
                "agree on a protocol with the guest's agent", error.Code,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"it did not answer within {dialTimeout.TotalSeconds:0.#} s. "
                        + $"See the pod's console.log; a slow host may need a longer dial_timeout"));
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Options of a call that must answer within the request limit.</summary>
    public CallOptions Timed(CancellationToken cancellationToken) => Timed(TimeSpan.Zero, cancellationToken);

    /// <summary>
    /// The same for a call that may take <paramref name="longer"/>, because it waits for programs
    /// of the caller's; null when nothing limits those.
    /// </summary>
    public CallOptions Timed(TimeSpan? longer, CancellationToken cancellationToken) =>
        longer is { } more ? Within(_requestTimeout + more, cancellationToken) : new CallOptions(cancellationToken: cancellationToken);

    /// <summary>Options of a call that must answer within a limit of its own.</summary>
    public CallOptions Within(TimeSpan limit, CancellationToken cancellationToken) =>
        new(deadline: _time.GetUtcNow().UtcDateTime + limit, cancellationToken: cancellationToken);

    /// <summary>
    /// Makes one call; whatever becomes of it but an answer comes out as <see cref="AgentException"/>, naming <paramref name="action"/>.
    /// </summary>
    /// <exception cref="AgentException">
    /// Also <see cref="StatusCode.Cancelled"/>: the caller called it off, we hung up, or the agent says that it was so.
    /// </exception>
    public static async Task<T> CallAsync<T>(string action, AsyncUnaryCall<T> call)
    {
        using (call)
        {
            try
            {
                return await call.ResponseAsync;
            }
            catch (RpcException error)
            {
                throw new AgentException(action, error);
            }
        }
    }

    /// <summary>Mounts in a living container what the share has. Ask <see cref="SupportsMounts"/> first.</summary>
    /// <param name="container">Its id.</param>
    /// <param name="mount">A bind mount of a path of the guest's, with the option <c>ro</c> or without.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task AddMountAsync(string container, Agent.Protocol.Oci.Mount mount, CancellationToken cancellationToken) => CallAsync(
        $"mount in the container '{container}'",
        Extension!.AddMountAsync(
            new AddMountRequest
            {
                ContainerId = container,
                Source = mount.Source,
                Destination = mount.Destination,
                ReadOnly = mount.Options.Contains("ro"),
            },
            Timed(cancellationToken)));

    /// <summary>
    /// Asks the agent to undo what a call that failed may have done or be about to do; what it says then is not needed. An agent that
    /// answers nothing holds nobody up for long.
    /// </summary>
    public async Task TryUndoAsync<T>(Func<CallOptions, AsyncUnaryCall<T>> call)
    {
        try
        {
            await CallAsync("undo what failed", call(Within(s_undoTimeout, CancellationToken.None)));
        }
        catch (AgentException)
        {
            // There was nothing to undo, or nobody is there.
        }
    }

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private async Task NegotiateAsync(CallOptions options)
    {
        GuestDetailsResponse details = await CallAsync(
            "learn what the guest can do", Agent.GetGuestDetailsAsync(new GuestDetailsRequest(), options));
        SupportsSeccomp = details.AgentDetails?.SupportsSeccomp ?? false;
        if (details.AgentDetails?.ExtraFeatures.Contains(ExtensionFeature) != true)
        {
            return;
        }

        var extension = new AgentExtension.AgentExtensionClient(_client.CallInvoker);
        var request = new HelloRequest { ProtocolMin = ProtocolMin, ProtocolMax = ProtocolMax, RuntimeVersion = RuntimeVersion.Text };
        Hello = await CallAsync("agree on a protocol with the guest's agent", extension.HelloAsync(request, options));
        if (Hello.Protocol is < ProtocolMin or > ProtocolMax)
        {
            throw new AgentException(
                "agree on a protocol with the guest's agent",
                StatusCode.FailedPrecondition,
                $"it chose version {Hello.Protocol}, this runtime speaks {ProtocolMin} to {ProtocolMax}. "
                    + "Use the guest image of this release");
        }

        Extension = extension;
    }
}
