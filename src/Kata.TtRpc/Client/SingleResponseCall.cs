using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>A unary or client-streaming call, but for its types: one response frame ends it.</summary>
internal abstract class SingleResponseCall(ClientConnection connection, MethodName method, CallOptions options)
    : ClientCall(connection, method, options)
{
    private object? _received;

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

            _received = ReadResponse(data.Slice(envelope.Payload.Start, envelope.Payload.Length).ToContext());
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
        if (end.IsSuccess) Succeed(_received!);
        else Fail(end.ToException());
    }

    protected abstract void Succeed(object response);

    protected abstract void Fail(RpcException exception);
}
