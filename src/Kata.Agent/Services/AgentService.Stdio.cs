using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kata.Agent.Containers;
using Kata.Agent.Protocol;
using Kata.Agent.Stdio;
using Kata.Linux;

namespace Kata.Agent.Services;

// One call per piece, for runtimes that do not know the Stdio stream. Both use the same channels.
internal sealed partial class AgentServiceHandler
{
    private const int ReadLimit = 1024 * 1024;

    public override Task<WriteStreamResponse> WriteStdin(WriteStreamRequest request, ServerCallContext context) =>
        _call.RunAsync(context, async () =>
        {
            ContainerProcess process = _table.Get(request.ContainerId).Get(request.ExecId);
            bool taken = process.Stdio.Input is { } input && await input.WriteAsync(request.Data.Memory, context.CancellationToken);
            return taken
                ? new WriteStreamResponse { Len = (uint)request.Data.Length }
                : throw AgentException.WrongState($"Cannot write to the process '{process.ExecId}': its standard input is closed");
        });

    public override Task<ReadStreamResponse> ReadStdout(ReadStreamRequest request, ServerCallContext context) =>
        _call.RunAsync(context, () => ReadAsync(request, static stdio => stdio.Output, context.CancellationToken));

    public override Task<ReadStreamResponse> ReadStderr(ReadStreamRequest request, ServerCallContext context) =>
        _call.RunAsync(context, () => ReadAsync(request, static stdio => stdio.Error, context.CancellationToken));

    public override Task<Empty> CloseStdin(CloseStdinRequest request, ServerCallContext context) => _call.Run(context, () =>
    {
        _table.Get(request.ContainerId).Get(request.ExecId).Stdio.Input?.Close();
    });

    public override Task<Empty> TtyWinResize(TtyWinResizeRequest request, ServerCallContext context) => _call.Run(context, () =>
    {
        if (request.Row > ushort.MaxValue || request.Column > ushort.MaxValue)
        {
            throw AgentException.Invalid(
                $"Cannot resize the terminal to {request.Row} rows and {request.Column} columns: the limit is {ushort.MaxValue}");
        }

        _table.Get(request.ContainerId).Get(request.ExecId).Stdio.Resize(new TerminalSize((ushort)request.Row, (ushort)request.Column));
    });

    private async Task<ReadStreamResponse> ReadAsync(
        ReadStreamRequest request, Func<ProcessStdio, OutputChannel?> choose, CancellationToken cancellationToken)
    {
        Container container = _table.Get(request.ContainerId);
        ContainerProcess process = container.Get(request.ExecId);
        if (choose(process.Stdio) is not { } channel)
        {
            throw Ended(process);
        }

        byte[] buffer = new byte[(int)Math.Clamp(request.Len, 1u, ReadLimit)];
        await channel.Turn.WaitAsync(cancellationToken);
        try
        {
            int count = await channel.ReadAsync(buffer, cancellationToken);
            channel.Delivered(count);
            return count > 0
                ? new ReadStreamResponse { Data = UnsafeByteOperations.UnsafeWrap(buffer.AsMemory(0, count)) }
                : throw Ended(process); // how stock runtimes learn of the end
        }
        finally
        {
            channel.Turn.Release();
            container.Collect(process);
        }
    }

    private static RpcException Ended(ContainerProcess process) =>
        AgentException.Of(StatusCode.OutOfRange, $"EOF: the process '{process.ExecId}' has no more output");
}
