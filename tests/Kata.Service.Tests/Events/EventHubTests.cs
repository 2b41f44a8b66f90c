using System.Threading.Channels;
using Kata.Containerd.Protocol.Events;
using Kata.Testing;

namespace Kata.Service.Tests;

public sealed class EventHubTests
{
    private readonly EventHub _hub = new(TimeProvider.System);

    [Fact]
    public async Task Publish_ToTwoListeners_BothGetIt()
    {
        Channel<Envelope> one = _hub.Join(), two = _hub.Join();
        _hub.Publish("/tasks/oom", new TaskOOM { ContainerId = "c" });
        foreach (Channel<Envelope> listener in new[] { one, two })
        {
            Envelope envelope = await listener.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().Within();
            Assert.Equal(("/tasks/oom", "containerd.events.TaskOOM", "c"), (envelope.Topic, envelope.Event.TypeUrl, TaskOOM.Parser.ParseFrom(envelope.Event.Value).ContainerId));
        }
    }

    [Fact]
    public async Task Publish_ListenerThatDoesNotRead_IsDroppedAndKnows()
    {
        Channel<Envelope> deaf = _hub.Join();
        for (int i = 0; i < 10_000; i++)
        {
            _hub.Publish("/tasks/oom", new TaskOOM());
        }

        int read = 0;
        await foreach (Envelope _ in deaf.Reader.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            read++;
        }

        Assert.InRange(read, 1, 1000);
    }

    [Fact]
    public async Task Complete_BeforeAndAfterJoin_ReadersEnd()
    {
        Channel<Envelope> early = _hub.Join();
        _hub.Complete();
        Channel<Envelope> late = _hub.Join();
        _hub.Publish("/tasks/oom", new TaskOOM());
        Assert.False(await early.Reader.WaitToReadAsync(TestContext.Current.CancellationToken).AsTask().Within());
        Assert.False(await late.Reader.WaitToReadAsync(TestContext.Current.CancellationToken).AsTask().Within());
    }

    [Fact]
    public void Leave_Listener_GetsNothingMore()
    {
        Channel<Envelope> gone = _hub.Join();
        _hub.Leave(gone);
        _hub.Publish("/tasks/oom", new TaskOOM());
        Assert.False(gone.Reader.TryRead(out _));
    }
}
