using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Kata.Agent.Protocol;
using Kata.Testing;

namespace Kata.Sandbox.Tests;

/// <summary>A process's streams with a stock agent.</summary>
public sealed class UnaryStdioTests : IAsyncDisposable
{
    private readonly ScriptedAgent _agent = new() { Details = new AgentDetails() };

    public async ValueTask DisposeAsync() => await _agent.DisposeAsync();

    [Fact]
    public async Task Output_UntilTheEmptyAnswer_IsCopiedAndThenClosed()
    {
        var chunks = new Queue<string>(["one ", "two ", "three"]);
        _agent.ReadStdout = request =>
        {
            Assert.Equal(("c1", "c1"), (request.ContainerId, request.ExecId));
            return Task.FromResult(
                new ReadStreamResponse { Data = chunks.TryDequeue(out string? text) ? ByteString.CopyFromUtf8(text) : ByteString.Empty });
        };
        using GatedStream output = GatedStream.OpenOne();
        await using AgentConnection connection = await ConnectAsync();
        await using var pump = new UnaryStdioPump(connection.Agent, "c1", "", new ProcessStdio { Output = output });
        await pump.Drained.Within();
        Assert.Equal("one two three", Encoding.UTF8.GetString(output.Taken));
        await output.Closed.Task.Within();
    }

    [Fact]
    public async Task Output_EndAsAnError_Ends()
    {
        _agent.ReadStdout = static _ => throw new RpcException(new Status(StatusCode.Internal, "EOF"));
        using GatedStream output = GatedStream.OpenOne();
        await using AgentConnection connection = await ConnectAsync();
        await using var pump = new UnaryStdioPump(connection.Agent, "c1", "", new ProcessStdio { Output = output });
        await pump.Drained.Within();
        await output.Closed.Task.Within();
    }

    [Fact]
    public async Task Output_ReaderHasGone_IsDrained()
    {
        _agent.ReadStdout = static _ => Task.FromResult(new ReadStreamResponse { Data = ByteString.CopyFromUtf8("x") });
        using GatedStream output = GatedStream.OpenOne();
        output.Broken = true;
        await using AgentConnection connection = await ConnectAsync();
        await using var pump = new UnaryStdioPump(connection.Agent, "c1", "", new ProcessStdio { Output = output });
        await pump.Drained.Within();
    }

    [Fact]
    public async Task Input_AgentTakesAPart_TheRestIsSentAgainAndThenClosed()
    {
        var input = new StringBuilder();
        _agent.WriteStdin = request =>
        {
            string part = request.Data.ToStringUtf8()[..Math.Min(4, request.Data.Length)];
            input.Append(part);
            return Task.FromResult(new WriteStreamResponse { Len = (uint)part.Length });
        };
        await using AgentConnection connection = await ConnectAsync();
        await using var pump = new UnaryStdioPump(
            connection.Agent, "c1", "e1", new ProcessStdio { Input = new MemoryStream("hello world"u8.ToArray()) });
        await _agent.StdinClosed.Task.Within();
        Assert.Equal("hello world", input.ToString());
    }

    [Fact]
    public async Task Input_AgentTakesNothing_IsNotAskedForEver()
    {
        int calls = 0;
        _agent.WriteStdin = _ =>
        {
            calls++;
            return Task.FromResult(new WriteStreamResponse { Len = 0 });
        };
        await using AgentConnection connection = await ConnectAsync();
        await using var process = new GuestProcess(
            connection, "c1", "", TimeSpan.FromSeconds(1), static () => Task.FromResult(""), TimeProvider.System);
        process.Attach(new ProcessStdio { Input = new MemoryStream([1, 2, 3]) });
        _agent.Exit.TrySetResult(0);
        Assert.Equal(0u, (await process.Exited.Within()).Status);
        Assert.InRange(calls, 0, 1);
    }

    [Fact]
    public async Task Input_AgentClaimsMoreThanItGot_IsNoHarm()
    {
        _agent.WriteStdin = static _ => Task.FromResult(new WriteStreamResponse { Len = uint.MaxValue });
        await using AgentConnection connection = await ConnectAsync();
        await using var pump = new UnaryStdioPump(connection.Agent, "c1", "", new ProcessStdio { Input = new MemoryStream([1, 2, 3]) });
        await _agent.StdinClosed.Task.Within();
    }

    private async Task<AgentConnection> ConnectAsync() =>
        await AgentConnection.OpenAsync(
            _agent.HostEnd, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10), TimeProvider.System, CancellationToken.None).Within();
}
