using System.Threading.Channels;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kata.Containerd.Protocol.Events;

namespace Kata.Service;

/// <summary>
/// Hands what happens to the pod's containers, in containerd's own messages, to everybody who listens. Nothing is kept for later.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="lost">Told the topic of an event that a listener will not get, because it is too far behind.</param>
internal sealed class EventHub(TimeProvider time, Action<string> lost)
{
    /// <summary>How far behind a listener may be; then it loses the oldest event with each new one.</summary>
    private const int QueueLimit = 256;

    private readonly Lock _gate = new();
    private readonly List<Channel<Envelope>> _listeners = []; // guarded by _gate
    private bool _completed; // guarded by _gate

    /// <param name="topic">containerd's.</param>
    /// <param name="message">Of the package containerd.events.</param>
    public void Publish<T>(string topic, T message)
        where T : IMessage
    {
        var envelope = new Envelope
        {
            Timestamp = Timestamp.FromDateTimeOffset(time.GetUtcNow()),
            Topic = topic,
            // containerd's form, without a host. The descriptor knows the name too, but building it costs memory that an idle pod keeps.
            Event = new Any { TypeUrl = $"containerd.events.{typeof(T).Name}", Value = message.ToByteString() },
        };
        Channel<Envelope>[] listeners;
        lock (_gate)
        {
            listeners = [.. _listeners];
        }

        foreach (Channel<Envelope> listener in listeners)
        {
            listener.Writer.TryWrite(envelope);
        }
    }

    /// <summary>Listens from now on. The reader ends with the pod; give it back with <see cref="Leave"/>.</summary>
    /// <param name="limit">How far behind it may be.</param>
    public Channel<Envelope> Join(int limit = QueueLimit)
    {
        var listener = Channel.CreateBounded(
            new BoundedChannelOptions(limit) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true },
            (Envelope dropped) => lost(dropped.Topic));
        lock (_gate)
        {
            if (_completed)
            {
                listener.Writer.TryComplete();
            }
            else
            {
                _listeners.Add(listener);
            }
        }

        return listener;
    }

    public void Leave(Channel<Envelope> listener)
    {
        lock (_gate)
        {
            _listeners.Remove(listener);
        }
    }

    /// <summary>The pod is gone: every reader ends after what it has not read yet.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _completed = true;
            _listeners.ForEach(static listener => listener.Writer.TryComplete());
            _listeners.Clear();
        }
    }
}
