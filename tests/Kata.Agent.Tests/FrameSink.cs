using System.Threading.Channels;
using Grpc.Core;
using Kata.Agent.Protocol.Extension;

namespace Kata.Agent.Tests;

/// <summary>Keeps the frames the session sends, copied: the session uses its buffers again once a send has returned.</summary>
internal sealed class FrameSink(ChannelWriter<StdioFromGuest> frames) : IServerStreamWriter<StdioFromGuest>
{
    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(StdioFromGuest message, CancellationToken cancellationToken) => WriteAsync(message);

    public Task WriteAsync(StdioFromGuest message) =>
        frames.WriteAsync(StdioFromGuest.Parser.ParseFrom(Google.Protobuf.MessageExtensions.ToByteArray(message))).AsTask();
}
