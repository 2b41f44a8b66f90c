using Kata.Linux;
using Kata.Sandbox;
using Kata.TtRpc;
using Microsoft.Extensions.Logging;

namespace Kata.Service;

/// <summary>The body of the process that serves one pod: listens, tells its starter that it does, serves until the pod has ended.</summary>
internal static class ServiceProcess
{
    /// <summary>How long a connection may outlive the pod, or an engine's Shutdown: the answer is on its way.</summary>
    private static readonly TimeSpan s_lingerTimeout = TimeSpan.FromSeconds(2);

    /// <summary>How long containerd may take from the last Delete to its Shutdown, and for the last events.</summary>
    private static readonly TimeSpan s_containerdTimeout = TimeSpan.FromSeconds(30);

    /// <param name="options">The pod.</param>
    /// <param name="log">Where records go.</param>
    /// <param name="ready">Gets one line as soon as calls are accepted.</param>
    public static async Task RunAsync(ServiceOptions options, ILogger log, Stream ready)
    {
        await using var host = new PodHost(options, log);
        await ServeAsync(host, options, async () =>
        {
            await ready.WriteAsync("ready\n"u8.ToArray());
            await ready.DisposeAsync();
        });
    }

    /// <summary>Serves a pod until it has ended.</summary>
    /// <param name="host">The pod's place; the caller disposes of it.</param>
    /// <param name="options">The pod.</param>
    /// <param name="ready">Called as soon as calls are accepted.</param>
    public static async Task ServeAsync(PodHost host, ServiceOptions options, Func<Task> ready)
    {
        ILogger log = host.Log;
        var life = new PodLife(host);
        var service = new TaskService(host, life);
        var server = new TtRpcServer();
        Containerd.Protocol.TaskV2.Task.BindService(server.Services, service);
        server.AddAlias("containerd.task.v2.Task", "containerd.task.v3.Task"); // the same messages on the wire
        Containerd.Protocol.SandboxV1.Sandbox.BindService(server.Services, new SandboxService(host, life, service.Removal));
        Sandbox.Protocol.V1.Sandbox.BindService(server.Services, new PodService(host, life));
        Containerd.Protocol.Subscriptions.Events.BindService(server.Services, new EventsService(host.Events));
        using var listener = new SocketListener(
            UnixSocket.Listen(host.Directories.TaskSocket(options.Sandbox)), error => log.Shortage(error.Message));
        Task forwarding = host.ForwardEventsAsync().LoggedAsync(log); // ends when the pod has ended and containerd has taken everything
        host.Track(service.Removal.EndWhenUnreachableAsync());
        options.PodLock?.Dispose(); // recorded: from now on a remover finds us in the journal
        await ready();

        var connections = new List<Task>();
        while (!life.Ended.IsCompleted)
        {
            Task<SafeFileDescriptor> accept = listener.AcceptAsync(host.Stopping);
            if (await Task.WhenAny(accept, life.Ended) != accept)
            {
                break;
            }

            connections.RemoveAll(static connection => connection.IsCompleted);
            connections.Add(ServeAsync(server, await accept, host.Stopping)); // ends with its connection or the service
        }

        // containerd keeps its connection until it has said Shutdown; one that is gone without it counts as a crash of ours.
        // CRI-O keeps its own even then.
        TimeSpan linger = options.Containerd is null ? s_lingerTimeout : s_containerdTimeout;
        Task left = Task.WhenAny(Task.WhenAll(connections), AnsweredAsync(life.Dismissed));
        await Task.WhenAny(Task.WhenAll(left, forwarding), Task.Delay(linger, TimeProvider.System));
    }

    // Ends with the process where nobody says Shutdown.
    private static async Task AnsweredAsync(Task dismissed)
    {
        await dismissed;
        await Task.Delay(s_lingerTimeout, TimeProvider.System);
    }

    private static async Task ServeAsync(TtRpcServer server, SafeFileDescriptor socket, CancellationToken cancellationToken)
    {
        await using var stream = new DescriptorStream(socket);
        try
        {
            await server.ServeAsync(stream, cancellationToken);
        }
        catch (Exception error) when (error is IOException or LinuxException or OperationCanceledException or InvalidDataException)
        {
            // One caller's broken connection is that caller's matter.
        }
    }
}
