using System.Threading.Channels;
using Grpc.Core;
using Kata.Agent.Protocol.Extension;

namespace Kata.Agent.Tests;

/// <summary>The frames a test plays as the host.</summary>
internal sealed class FrameQueue : IAsyncStreamReader<StdioToGuest>
{
    private readonly Channel<StdioToGuest> _frames = Channel.CreateUnbounded<StdioToGuest>();

    public StdioToGuest Current { get; private set; } = new();

    public void Send(StdioToGuest frame) => _frames.Writer.TryWrite(frame);

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        Current = await _frames.Reader.ReadAsync(cancellationToken);
        return true;
    }
}
