using Kata.TtRpc;

namespace Kata.Fuzz.Targets;

/// <summary>A whole connection of a server whose client sends the input. It must end when the input does.</summary>
internal sealed class TtRpcServerTarget : AsyncTarget
{
    private readonly TtRpcServer _server;

    public TtRpcServerTarget()
    {
        _server = new TtRpcServer(new TtRpcOptions { MaxMessageSize = 64 * 1024, MaxConcurrentStreams = 8, MaxQueuedBytes = 64 * 1024 });
        FuzzService.Bind(_server.Services);
    }

    public override string Name => "ttrpc-server";

    protected override async Task RunAsync(byte[] input)
    {
        try
        {
            await _server.ServeAsync(new ScriptedStream(input, input.Length == 0 ? 1 : 1 + input[^1]), CancellationToken.None);
        }
        catch (TtRpcProtocolException)
        {
            // What a client that breaks the protocol gets.
        }
    }
}
