using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Kata.Fuzz.Targets;

/// <summary>One method of each kind, over a recursive message, without generated code.</summary>
internal static class FuzzService
{
    private static readonly Marshaller<Struct> s_marshaller = Marshallers.Create<Struct>(
        (message, context) =>
        {
            context.SetPayloadLength(message.CalculateSize());
            Google.Protobuf.MessageExtensions.WriteTo(message, context.GetBufferWriter());
            context.Complete();
        },
        context => Struct.Parser.ParseFrom(context.PayloadAsReadOnlySequence()));

    public static Method<Struct, Struct> Unary { get; } = Create("U", MethodType.Unary);

    public static Method<Struct, Struct> ClientStreaming { get; } = Create("C", MethodType.ClientStreaming);

    public static Method<Struct, Struct> ServerStreaming { get; } = Create("S", MethodType.ServerStreaming);

    public static Method<Struct, Struct> Duplex { get; } = Create("D", MethodType.DuplexStreaming);

    public static void Bind(ServiceBinderBase binder)
    {
        binder.AddMethod(Unary, (request, context) => Task.FromResult(request));
        binder.AddMethod(ClientStreaming, async (requests, context) =>
        {
            var last = new Struct();
            while (await requests.MoveNext(context.CancellationToken))
                last = requests.Current;
            return last;
        });
        binder.AddMethod(ServerStreaming, async (request, responses, context) =>
        {
            for (int i = 0; i < 3; i++)
                await responses.WriteAsync(request);
        });
        binder.AddMethod(Duplex, async (requests, responses, context) =>
        {
            while (await requests.MoveNext(context.CancellationToken))
                await responses.WriteAsync(requests.Current);
        });
    }

    private static Method<Struct, Struct> Create(string name, MethodType type) => new(type, "f", name, s_marshaller, s_marshaller);
}
