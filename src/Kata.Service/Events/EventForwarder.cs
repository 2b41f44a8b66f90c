using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using Kata.Containerd.Protocol.Events;
using Kata.Linux;
using Kata.TtRpc;
using Microsoft.Extensions.Logging;

namespace Kata.Service;

/// <summary>
/// Hands a pod's events over to containerd, one after the other and in their order. A containerd that is away for a while, to be
/// restarted, gets them afterwards; one that stays away costs the oldest.
/// </summary>
internal sealed class EventForwarder(ContainerdOptions containerd, ILogger log, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Events that wait while containerd is away; each is some hundred bytes.</summary>
    public const int QueueLimit = 2048;

    /// <summary>How long containerd may take to accept one.</summary>
    private static readonly TimeSpan s_callTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Between two attempts to reach it.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(500);

    /// <summary>After which an event is given up: a restart takes less.</summary>
    private static readonly TimeSpan s_giveUpAfter = TimeSpan.FromMinutes(2);

    private TtRpcClient? _client; // used by RunAsync only

    /// <summary>Forwards what the reader yields until it ends; then everything has been accepted or given up.</summary>
    public async Task RunAsync(ChannelReader<Envelope> events, CancellationToken cancellationToken)
    {
        await foreach (Envelope envelope in events.ReadAllAsync(cancellationToken))
        {
            envelope.Namespace = containerd.Namespace;
            await ForwardAsync(envelope, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
        {
            await _client.DisposeAsync();
        }
    }

    private async Task ForwardAsync(Envelope envelope, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        while (true)
        {
            try
            {
                await (containerd.EventsAddress.Length > 0
                    ? CallAsync(envelope, cancellationToken)
                    : PublishAsync(envelope, cancellationToken));
                return;
            }
            catch (Exception error) when (error is RpcException or LinuxException or IOException or TimeoutException
                && !cancellationToken.IsCancellationRequested)
            {
                await DisposeAsync();
                _client = null;
                if (time.GetElapsedTime(start) > s_giveUpAfter)
                {
                    log.EventLost(envelope.Topic, $"containerd did not take it: {error.Message}");
                    return;
                }

                await Task.Delay(s_pause, time, cancellationToken);
            }
        }
    }

    private async Task CallAsync(Envelope envelope, CancellationToken cancellationToken)
    {
        _client ??= new TtRpcClient(new DescriptorStream(UnixSocket.Connect(PathOf(containerd.EventsAddress))));
        await new Containerd.Protocol.Events.Events.EventsClient(_client.CallInvoker).ForwardAsync(
            new ForwardRequest { Envelope = envelope }, deadline: (time.GetUtcNow() + s_callTimeout).UtcDateTime,
            cancellationToken: cancellationToken);
    }

    // The way of containerd 1.2, and of engines without a socket for events.
    private async Task PublishAsync(Envelope envelope, CancellationToken cancellationToken)
    {
        if (containerd.Publisher.Length == 0)
        {
            return;
        }

        (SafeFileDescriptor read, SafeFileDescriptor write) = Pipe.Create();
        using (read)
        {
            await using var input = new DescriptorStream(write);
            ChildProcess child = ChildProcess.Start(new SpawnOptions
            {
                Path = containerd.Publisher,
                Arguments =
                [
                    containerd.Publisher, "--address", containerd.Address,
                    "publish", "--topic", envelope.Topic, "--namespace", containerd.Namespace,
                ],
                Environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
                Descriptors = new Dictionary<int, SafeFileDescriptor> { [0] = read },
            });
            // Ends early on: the caller (cancellationToken) or the limit, which one that neither reads nor ends would outlive.
            using var limit = new CancellationTokenSource(s_callTimeout, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            try
            {
                await input.WriteAsync(envelope.Event.ToByteArray(), both.Token);
                await input.DisposeAsync();
                ExitStatus status = await child.Exited.WaitAsync(both.Token);
                if (status is not { Code: 0 })
                {
                    throw new IOException($"'{containerd.Publisher}' ended with {status}");
                }
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"'{containerd.Publisher}' did not end within {s_callTimeout.TotalSeconds:0} s and was killed");
            }
            finally
            {
                if (!child.Exited.IsCompleted)
                {
                    child.Kill(Signals.SIGKILL);
                    await child.Exited;
                }
            }
        }
    }

    private static string PathOf(string address) =>
        address.StartsWith("unix://", StringComparison.Ordinal) ? address["unix://".Length..] : address;
}
