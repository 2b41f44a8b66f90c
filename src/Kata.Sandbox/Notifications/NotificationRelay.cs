using Grpc.Core;
using Kata.Agent.Protocol.Extension;
using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>
/// Sends what a container says of itself on to a socket of the host. A receiver that is not there, or takes nothing, loses it.
/// </summary>
internal sealed class NotificationRelay : IAsyncDisposable
{
    /// <summary>
    /// A receiver without room gets this many chances more, <see cref="s_pause"/> apart: the container itself would wait.
    /// </summary>
    private const int Retries = 20;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);

    private readonly CancellationTokenSource _stopping = new();
    private readonly Func<CancellationToken, AsyncServerStreamingCall<Notification>> _listen;
    private readonly Action<string> _violated;
    private readonly string _hostPath;
    private readonly TimeProvider _time;
    private readonly Task _loop;

    /// <param name="listen">Begins the call.</param>
    /// <param name="hostPath">The receiver; it need not be there yet.</param>
    /// <param name="violated">Called when the agent breaks the protocol.</param>
    /// <param name="time">The clock.</param>
    public NotificationRelay(
        Func<CancellationToken, AsyncServerStreamingCall<Notification>> listen, string hostPath, Action<string> violated, TimeProvider time)
    {
        (_listen, _hostPath, _violated, _time) = (listen, hostPath, violated, time);
        _loop = RunAsync(); // ends with the call: when the container is removed, the channel is lost, or on _stopping
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            using AsyncServerStreamingCall<Notification> call = _listen(_stopping.Token);
            while (await call.ResponseStream.MoveNext(_stopping.Token))
            {
                ReadOnlyMemory<byte> datagram = call.ResponseStream.Current.Datagram.Memory;
                if (datagram.Length > DatagramReceiver.Limit)
                {
                    _violated($"a notification has {datagram.Length} bytes, the limit is {DatagramReceiver.Limit}");
                    return;
                }

                if (!datagram.IsEmpty)
                {
                    await SendAsync(datagram);
                }
            }
        }
        catch (Exception error) when (error is RpcException or OperationCanceledException or IOException)
        {
            // The channel's loss is reported by whoever waits for the processes.
        }
    }

    private async Task SendAsync(ReadOnlyMemory<byte> datagram)
    {
        for (int i = 0; i <= Retries; i++)
        {
            try
            {
                using SafeFileDescriptor socket = UnixSocket.ConnectDatagram(_hostPath);
                _ = DescriptorPassing.Send(socket, datagram.Span, []);
                return;
            }
            catch (LinuxException error) when (error.Errno == Errno.EAGAIN)
            {
                await Task.Delay(s_pause, _time, _stopping.Token);
            }
            catch (LinuxException)
            {
                return; // nobody listens any more
            }
        }
    }
}
