using Grpc.Core;

namespace Kata.TtRpc;

// What a call sends.
internal abstract partial class ClientCall
{
    private bool _completed;

    public async Task CompleteAsync()
    {
        if (_completed || HasEnded) return;
        _completed = true;
        try
        {
            await SendDataAsync(connection.Sender.Rent(FrameType.Data, FrameFlags.RemoteClosed | FrameFlags.NoData)).ConfigureAwait(false);
        }
        catch (InvalidOperationException)
        {
            // The server ended the call successfully while this was on its way.
        }
    }

    /// <exception cref="RpcException">The call has failed, or the message is too large; then the call fails with it.</exception>
    /// <exception cref="InvalidOperationException">The stream was completed, or the server ended the call successfully.</exception>
    protected async Task WriteRequestAsync(object message)
    {
        if (_completed) throw new InvalidOperationException("Cannot send a message: the request stream was completed. Complete it last");
        if (HasEnded) throw EndedException();

        OutgoingFrame frame = connection.Sender.Rent(FrameType.Data, FrameFlags.None);
        try
        {
            frame.BeginMessage(OutgoingFrame.NoField);
            WriteRequest(message, frame);
            frame.EndMessage();
        }
        catch (Exception exception)
        {
            connection.Sender.Return(frame);
            Fail(exception);
            throw;
        }

        await SendDataAsync(frame).ConfigureAwait(false);
    }

    /// <inheritdoc cref="WriteRequestAsync(object)"/>
    protected async Task WriteRequestAsync(object message, CancellationToken cancellationToken)
    {
        // As gRPC has it: cancelling a write cancels the call, since nobody can know whether the message was sent.
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static call => ((ClientCall)call!).Cancel("a write was cancelled"), this);
        await WriteRequestAsync(message).ConfigureAwait(false);
    }

    private OutgoingFrame RequestFrame(FrameFlags flags, object? request, long timeoutNanoseconds)
    {
        OutgoingFrame frame = connection.Sender.Rent(FrameType.Request, flags);
        try
        {
            RequestEnvelope.WriteMethod(frame, method);
            if (request is not null)
            {
                frame.BeginMessage(RequestEnvelope.PayloadField);
                WriteRequest(request, frame);
                frame.EndMessage();
            }

            RequestEnvelope.WriteRest(frame, timeoutNanoseconds, options.Headers);
            return frame;
        }
        catch
        {
            connection.Sender.Return(frame);
            throw;
        }
    }

    /// <summary>Sends a message of the request stream; ends early when the call ends.</summary>
    private async Task SendDataAsync(OutgoingFrame frame)
    {
        uint streamId;
        if (_sending is { } first) await first.ConfigureAwait(false);
        lock (_gate)
            streamId = _streamId;

        CancellationToken ended = Ended();
        if (ended.IsCancellationRequested)
        {
            connection.Sender.Return(frame);
            throw EndedException();
        }

        try
        {
            await connection.Sender.SendAsync(frame, streamId, null, ended).AsTask().WaitAsync(ended).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw EndedException();
        }
        catch (IOException exception)
        {
            Fail(exception);
            throw EndedException();
        }
    }

    private Exception EndedException()
    {
        CallEnd end = RequireEnd();
        return end.IsSuccess
            ? new InvalidOperationException("Cannot send a message: the server has ended the call. Read its answer")
            : end.ToException();
    }
}
