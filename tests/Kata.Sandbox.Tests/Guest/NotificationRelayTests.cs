using Google.Protobuf;
using Grpc.Core;
using Kata.Agent.Protocol.Extension;
using Kata.Linux;
using Kata.Testing;

namespace Kata.Sandbox.Tests;

public sealed class NotificationRelayTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly TaskCompletionSource<string> _violation = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Relay_Datagrams_ReachTheHostsSocketInOrder()
    {
        using var receiver = new DatagramReceiver(_directory.File("s"), 0x180);
        await using NotificationRelay relay = Relay(receiver.Path, "READY=1", "", "STATUS=two\nlines");
        Assert.Equal("READY=1"u8.ToArray(), await receiver.ReceiveAsync(TestContext.Current.CancellationToken));
        Assert.Equal("STATUS=two\nlines"u8.ToArray(), await receiver.ReceiveAsync(TestContext.Current.CancellationToken));
        Assert.False(_violation.Task.IsCompleted);
    }

    [Fact]
    public async Task Relay_NobodyReceives_GoesOn()
    {
        await using NotificationRelay relay = Relay(_directory.File("nobody"), "A", new string('x', DatagramReceiver.Limit + 1));
        Assert.Contains(
            "the limit is 4096", await _violation.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
    }

    private NotificationRelay Relay(string path, params string[] texts) => new(
        _ => new AsyncServerStreamingCall<Notification>(
            new Reader([.. texts]), Task.FromResult(new Metadata()), static () => Status.DefaultSuccess, static () => [], static () => { }),
        path, text => _violation.TrySetResult(text), TimeProvider.System);

    // Ends when the call is cancelled, as a container's does.
    private sealed class Reader(Queue<string> texts) : IAsyncStreamReader<Notification>
    {
        public Reader(string[] texts)
            : this(new Queue<string>(texts))
        {
        }

        public Notification Current { get; private set; } = new();

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            if (texts.TryDequeue(out string? text))
            {
                Current = new Notification { Datagram = ByteString.CopyFromUtf8(text) };
                return true;
            }

            await Task.Delay(Timeout.Infinite, cancellationToken);
            return false;
        }
    }
}
