using Google.Protobuf;
using Grpc.Core;

namespace Kata.Fuzz.Targets;

/// <summary>Keeps copies of what is sent: the sender may use its buffers again.</summary>
internal sealed class FrameCollector<T> : IClientStreamWriter<T>, IServerStreamWriter<T>
    where T : class, IDeepCloneable<T>
{
    private readonly List<T> _frames = [];

    public List<T> Frames
    {
        get
        {
            lock (_frames)
            {
                return [.. _frames];
            }
        }
    }

    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(T message, CancellationToken cancellationToken) => WriteAsync(message);

    public Task WriteAsync(T message)
    {
        lock (_frames)
        {
            _frames.Add(message.Clone());
        }

        return Task.CompletedTask;
    }

    public Task CompleteAsync() => Task.CompletedTask;
}
