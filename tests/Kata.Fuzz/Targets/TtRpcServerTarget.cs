using Grpc.Core;
using Kata.TtRpc;

namespace Kata.Fuzz.Targets;

/// <summary>A client that sends anything to a server with one unary and one bidirectional method.</summary>
internal static class TtRpcServerTarget
{
    private const string Service = "fuzz.Echo";

    private static readonly Marshaller<byte[]> s_bytes = Marshallers.Create(bytes => bytes, bytes => bytes);

    public static FuzzTarget Create() => new("ttrpc-server", async input =>
    {
        var server = new TtRpcServer(new TtRpcOptions { MaxMessageSize = 64 * 1024, MaxConcurrentStreams = 16, MaxQueuedBytes = 256 * 1024 });
        server.Services.AddMethod(
            new Method<byte[], byte[]>(MethodType.Unary, Service, "Unary", s_bytes, s_bytes),
            (request, _) => Task.FromResult(request));
        server.Services.AddMethod(
            new Method<byte[], byte[]>(MethodType.DuplexStreaming, Service, "Stream", s_bytes, s_bytes),
            async (requests, responses, context) =>
            {
                while (await requests.MoveNext(context.CancellationToken))
                {
                    await responses.WriteAsync(requests.Current);
                }
            });
        try
        {
            await using var connection = new InputStream(input);
            await server.ServeAsync(connection, CancellationToken.None);
            return "closed";
        }
        catch (TtRpcProtocolException refusal)
        {
            return refusal.Message;
        }
    });
}
