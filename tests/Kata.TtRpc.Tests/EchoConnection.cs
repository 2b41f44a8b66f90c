using Kata.Testing;

namespace Kata.TtRpc.Tests;

/// <summary>A client and a server of the echo service with an in-memory connection between them.</summary>
internal sealed class EchoConnection : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();

    public EchoConnection(TtRpcOptions? clientOptions = null, TtRpcOptions? serverOptions = null, Func<Stream, Stream>? wrap = null)
    {
        (InMemoryDuplex near, InMemoryDuplex far) = InMemoryDuplex.CreatePair();
        Far = far;
        var server = new TtRpcServer(serverOptions);
        Echo.BindService(server.Services, Service);
        Serving = server.ServeAsync(wrap is null ? far : wrap(far), _stop.Token);
        Connection = new TtRpcClient(wrap is null ? near : wrap(near), clientOptions);
        Client = new Echo.EchoClient(Connection.CallInvoker);
    }

    public EchoService Service { get; } = new();

    public InMemoryDuplex Far { get; }

    public Task Serving { get; }

    public TtRpcClient Connection { get; }

    public Echo.EchoClient Client { get; }

    public void StopServer() => _stop.Cancel();

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync().AsTask().Within();
        await _stop.CancelAsync();
        await Serving.ContinueWith(_ => { }, TaskScheduler.Default).Within();
        _stop.Dispose();
    }
}
