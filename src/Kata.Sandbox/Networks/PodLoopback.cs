using Grpc.Core;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.Linux;
using Kata.Network;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// Who connects to the loopback interface of the pod's network namespace on the host reaches what listens on the guest's: engines forward
/// ports so (<c>kubectl port-forward</c>). Owns its sockets.
/// </summary>
internal sealed class PodLoopback(SandboxId id, SandboxEnvironment environment) : IAsyncDisposable
{
    /// <summary>At one time; more wait in the kernel until one of them ends.</summary>
    private const int MaxOpen = 128;

    private readonly CancellationTokenSource _ending = new();
    private readonly SemaphoreSlim _free = new(MaxOpen, MaxOpen);
    private readonly List<PolledDescriptor> _sockets = [];
    private readonly List<Task> _taking = []; // end on _ending
    private LoopbackCapture? _capture;

    /// <summary>Begins, once the guest is up.</summary>
    public void Begin(NetworkNamespace space, AgentConnection agent)
    {
        if (agent is not { SupportsConnections: true, Extension: { } extension })
        {
            return;
        }

        try
        {
            (SafeFileDescriptor four, SafeFileDescriptor? six) = space.Run(
                static () => (LoopbackSocket.Listen(isVersion6: false), ListenVersion6()));
            _sockets.Add(new PolledDescriptor(four));
            if (six is not null)
            {
                _sockets.Add(new PolledDescriptor(six));
            }

            _capture = LoopbackCapture.Begin(space.Handle, four, six);
        }
        catch (LinuxException error)
        {
            environment.Log.PlanWarning($"Ports of the guest of '{id}' cannot be forwarded: {error.Message}");
            return;
        }

        _taking.AddRange(_sockets.Select(socket => TakeAsync(socket, extension).LoggedAsync(environment.Log)));
    }

    /// <summary>Takes no more connections, and breaks those that there are.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await Task.WhenAll(_taking);
        _capture?.Dispose();
        _sockets.ForEach(static socket => socket.Dispose());
    }

    private static SafeFileDescriptor? ListenVersion6()
    {
        try
        {
            return LoopbackSocket.Listen(isVersion6: true);
        }
        catch (LinuxException)
        {
            return null; // a kernel without IPv6
        }
    }

    private async Task TakeAsync(PolledDescriptor socket, AgentExtension.AgentExtensionClient agent)
    {
        try
        {
            while (true)
            {
                await _free.WaitAsync(_ending.Token);
                SafeFileDescriptor connection;
                while ((connection = InternetSocket.Accept(socket.Descriptor)).IsInvalid)
                {
                    connection.Dispose();
                    await socket.WaitReadableAsync(_ending.Token);
                }

                _ = RelayAsync(connection, agent); // ends with the connection or on _ending
            }
        }
        catch (OperationCanceledException)
        {
            // The pod ends.
        }
    }

    private async Task RelayAsync(SafeFileDescriptor connection, AgentExtension.AgentExtensionClient agent)
    {
        try
        {
            await using var stream = new DescriptorStream(connection);
            try
            {
                await RelayAsync(stream, agent, _ending.Token);
            }
            catch (Exception error) when (
                error is RpcException or LinuxException or IOException or InvalidDataException or OperationCanceledException)
            {
                LoopbackSocket.ResetOnClose(connection); // nothing listens, one side broke it, or the pod ends
            }
        }
        catch (LinuxException)
        {
            connection.Dispose();
        }
        finally
        {
            _free.Release();
        }
    }

    private static async Task RelayAsync(
        DescriptorStream stream, AgentExtension.AgentExtensionClient agent, CancellationToken cancellationToken)
    {
        ushort port = LoopbackSocket.PortOf(stream.Descriptor);
        using AsyncDuplexStreamingCall<ConnectionFrame, ConnectionFrame> call = agent.Connect(
            new CallOptions(cancellationToken: cancellationToken));
        await call.RequestStream.WriteAsync(new ConnectionFrame { Port = port }, cancellationToken);
        using var relay = new ConnectionRelay(
            stream, () => LoopbackSocket.EndWriting(stream.Descriptor), call.ResponseStream, call.RequestStream);
        await relay.RunAsync(cancellationToken);
    }
}
