using Kata.TtRpc;

namespace Kata.Fuzz.Targets;

/// <summary>A whole connection of a server whose client sends the input. It must end when the input does.</summary>
internal sealed class TtRpcServerTarget : IFuzzTarget
{
    private readonly TtRpcServer _server;

    public TtRpcServerTarget()
    {
        _server = new TtRpcServer(new TtRpcOptions { MaxMessageSize = 64 * 1024, MaxConcurrentStreams = 8, MaxQueuedBytes = 64 * 1024 });
        FuzzService.Bind(_server.Services);
    }

    public string Name => "ttrpc-server";

    public void Run(ReadOnlySpan<byte> input)
    {
        byte[] bytes = input.ToArray();
        try
        {
            _server.ServeAsync(new ScriptedStream(bytes, bytes.Length == 0 ? 1 : 1 + bytes[^1]), CancellationToken.None).GetAwaiter().GetResult();
        }
        catch (TtRpcProtocolException)
        {
            // What a client that breaks the protocol gets.
        }
    }
}
