using System.Threading.Channels;
using Kata.Containerd.Protocol.Events;
using Kata.Testing;

namespace Kata.Service.Tests;

public sealed class EventHubTests
{
    private readonly List<string> _lost = [];
    private readonly EventHub _hub;

    public EventHubTests() => _hub = new EventHub(TimeProvider.System, _lost.Add);

    [Fact]
    public async Task Publish_ToTwoListeners_BothGetIt()
    {
        Channel<Envelope> one = _hub.Join(), two = _hub.Join();
        _hub.Publish("/tasks/oom", new TaskOOM { ContainerId = "c" });
        foreach (Channel<Envelope> listener in new[] { one, two })
        {
            Envelope envelope = await listener.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().Within();
            Assert.Equal(
                ("/tasks/oom", "containerd.events.TaskOOM", "c"),
                (envelope.Topic, envelope.Event.TypeUrl, TaskOOM.Parser.ParseFrom(envelope.Event.Value).ContainerId));
        }
    }

    [Fact]
    public async Task Publish_ListenerIsTooFarBehind_LosesTheOldestAndGoesOn()
    {
        Channel<Envelope> slow = _hub.Join(limit: 3);
        for (int i = 0; i < 10; i++)
        {
            _hub.Publish("/tasks/oom", new TaskOOM { ContainerId = $"{i}" });
        }

        Assert.Equal(7, _lost.Count);
        Assert.Equal(["7", "8", "9"], await ReadAsync(3));
        _hub.Publish("/tasks/oom", new TaskOOM { ContainerId = "later" });
        Assert.Equal(["later"], await ReadAsync(1));

        async Task<string[]> ReadAsync(int count)
        {
            var ids = new List<string>();
            while (ids.Count < count)
            {
                Envelope envelope = await slow.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().Within();
                ids.Add(TaskOOM.Parser.ParseFrom(envelope.Event.Value).ContainerId);
            }

            return [.. ids];
        }
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
