using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>A unary or client-streaming call: one response frame ends it.</summary>
internal sealed class SingleResponseCall<TRequest, TResponse>(
    ClientConnection connection, Method<TRequest, TResponse> method, CallOptions options)
    : RequestStream<TRequest, TResponse>(connection, method, options)
    where TRequest : class
    where TResponse : class
{
    private readonly TaskCompletionSource<TResponse> _response = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TResponse? _received;

    public Task<TResponse> Response => _response.Task;

    public override void Receive(FrameHeader header, ReceivedBytes data)
    {
        try
        {
            if (header.Type != FrameType.Response)
            {
                FailProtocol("stream data came for a call that has a single response");
                return;
            }

            if (!ResponseEnvelope.TryParse(data.Span, out ResponseEnvelope envelope))
            {
                FailProtocol("the response is malformed");
                return;
            }

            if (envelope.Status.StatusCode != StatusCode.OK)
            {
                End(new CallEnd(envelope.Status, envelope.Trailers(data.Span)));
                return;
            }

            _received = data.Slice(envelope.Payload.Start, envelope.Payload.Length).Deserialize(ResponseMarshaller);
            End(CallEnd.Success);
        }
        catch (Exception exception)
        {
            FailProtocol(exception.Message);
        }
        finally
        {
            data.Release();
        }
    }

    protected override void OnEnd(CallEnd end)
    {
        if (end.IsSuccess)
        {
            _response.TrySetResult(_received!);
            return;
        }

        _response.TrySetException(end.ToException());
        // A caller may be interested in the status only.
        _ = _response.Task.Exception;
    }
}
