using Grpc.Core;

namespace Kata.TtRpc.Tests;

internal sealed class GreeterService : Greeter.GreeterBase
{
    public override Task<GreetReply> Greet(GreetRequest request, ServerCallContext context) =>
        Task.FromResult(new GreetReply { Text = $"Hello, {request.Name}" });
}

internal static class Sample
{
    public static Task ServeAsync(Stream connection, CancellationToken cancellationToken)
    {
        var server = new TtRpcServer();
        Greeter.BindService(server.Services, new GreeterService());
        return server.ServeAsync(connection, cancellationToken); // once for each connection
    }

    public static async Task<string> GreetAsync(Stream connection, string name)
    {
        await using var client = new TtRpcClient(connection);
        var greeter = new Greeter.GreeterClient(client.CallInvoker);
        GreetReply reply = await greeter.GreetAsync(new GreetRequest { Name = name }, deadline: DateTime.UtcNow.AddSeconds(5));
        return reply.Text;
    }
}
