using System.Diagnostics;
using Grpc.Core;
using Kata.Linux;
using Microsoft.Extensions.Logging;

namespace Kata.Agent.Services;

/// <summary>The border of every call: what goes wrong inside becomes a status with a text, and is logged once.</summary>
internal sealed class AgentCall(ILogger logger)
{
    public async Task<T> RunAsync<T>(ServerCallContext context, Func<Task<T>> handler)
    {
        long started = Stopwatch.GetTimestamp();
        try
        {
            T result = await handler();
            logger.CallEnded(context.Method, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            return result;
        }
        catch (RpcException error)
        {
            logger.CallFailed(context.Method, error.Status.Detail);
            throw;
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException)
        {
            string text = $"Cannot go on with '{context.Method}': it was called off by another call";
            logger.CallFailed(context.Method, text);
            throw AgentException.Of(StatusCode.Aborted, text);
        }
        catch (Exception error) // the border
        {
            string text = ErrorText.Of(error);
            logger.CallFailed(context.Method, error is LinuxException ? text : $"{text}: {error}");
            throw AgentException.Failed(text);
        }
    }

    /// <summary>For handlers that only touch /proc, /sys and memory, and so never wait.</summary>
    public Task<T> Run<T>(ServerCallContext context, Func<T> handler) => RunAsync(context, () => Task.FromResult(handler()));

    public Task<Google.Protobuf.WellKnownTypes.Empty> Run(ServerCallContext context, Action handler) => Run(context, () =>
    {
        handler();
        return new Google.Protobuf.WellKnownTypes.Empty();
    });

    public Task<Google.Protobuf.WellKnownTypes.Empty> RunAsync(ServerCallContext context, Func<Task> handler) =>
        RunAsync(context, async () =>
        {
            await handler();
            return new Google.Protobuf.WellKnownTypes.Empty();
        });
}
