using Grpc.Core;

namespace Kata.TtRpc;

internal sealed class TtRpcCallInvoker(ClientConnection connection) : CallInvoker
{
    private static readonly Task<Metadata> s_noHeaders = Task.FromResult(new Metadata());

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        throw new NotSupportedException(
            $"Cannot call '{method.FullName}': ttRPC calls here never block a thread. Use the method's Async form");

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var call = new SingleResponseCall<TRequest, TResponse>(connection, method, options);
        call.Start(FrameFlags.None, request);
        return new AsyncUnaryCall<TResponse>(call.Response, Headers, Status, Trailers, End, call);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = new RequestStreamCall<TRequest, TResponse>(connection, method, options);
        call.Start(FrameFlags.RemoteOpen, request: null);
        return new AsyncClientStreamingCall<TRequest, TResponse>(call, call.Response, Headers, Status, Trailers, End, call);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var call = new StreamedResponseCall<TRequest, TResponse>(connection, method, options);
        call.Start(FrameFlags.RemoteClosed, request);
        return new AsyncServerStreamingCall<TResponse>(call, Headers, Status, Trailers, End, call);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = new StreamedResponseCall<TRequest, TResponse>(connection, method, options);
        call.Start(FrameFlags.RemoteOpen, request: null);
        return new AsyncDuplexStreamingCall<TRequest, TResponse>(call, call, Headers, Status, Trailers, End, call);
    }

    private static Task<Metadata> Headers(object call) => s_noHeaders;

    private static Status Status(object call) => ((ClientCall)call).RequireEnd().Status;

    private static Metadata Trailers(object call) => ((ClientCall)call).RequireEnd().Trailers;

    private static void End(object call) => ((ClientCall)call).Drop();
}
