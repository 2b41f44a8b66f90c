using Grpc.Core;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Kata.Sandbox.Tests;

public sealed class AgentConnectionTests : IAsyncDisposable
{
    private readonly ScriptedAgent _agent = new();

    public async ValueTask DisposeAsync() => await _agent.DisposeAsync();

    [Fact]
    public async Task OpenAsync_OurAgent_AgreesOnAProtocol()
    {
        await using AgentConnection connection = await OpenAsync();
        Assert.NotNull(connection.Extension);
        Assert.Equal("scripted", connection.Hello?.AgentVersion);
        Assert.True(connection.SupportsSeccomp);
    }

    [Fact]
    public async Task OpenAsync_StockAgent_HasNoExtension()
    {
        _agent.Details = new AgentDetails { ExtraFeatures = { "kata.agent.v2" } };
        await using AgentConnection connection = await OpenAsync();
        Assert.Null(connection.Extension);
        Assert.Null(connection.Hello);
        Assert.False(connection.SupportsSeccomp);
    }

    [Fact]
    public async Task CallAsync_CallerCallsItOff_IsAFailureLikeAnyOther()
    {
        await using AgentConnection connection = await OpenAsync();
        using var impatience = new CancellationTokenSource();
        Task call = AgentConnection.CallAsync(
            "wait for 'c1'",
            connection.Agent.WaitProcessAsync(new WaitProcessRequest { ContainerId = "c1" }, connection.Timed(null, impatience.Token)));

        await impatience.CancelAsync();

        AgentException error = await Assert.ThrowsAsync<AgentException>(() => call).Within();
        Assert.Equal((StatusCode.Cancelled, "Cannot wait for 'c1': the call was called off"), (error.Code, error.Message));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(2u)]
    [InlineData(uint.MaxValue)]
    public async Task OpenAsync_OtherProtocol_NamesBothAndTheRemedy(uint protocol)
    {
        _agent.Hello = new HelloResponse { Protocol = protocol };
        AgentException error = await Assert.ThrowsAsync<AgentException>(OpenAsync);
        Assert.Equal(StatusCode.FailedPrecondition, error.Code);
        Assert.Contains(
            $"it chose version {protocol}, this runtime speaks 1 to 1. Use the guest image of this release", error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenAsync_SilentAgent_FailsAtTheLimitAndSaysWhereToLook()
    {
        _agent.Details = null;
        var time = new FakeTimeProvider();
        Task<AgentConnection> open = AgentConnection.OpenAsync(
            _agent.HostEnd, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(300), time, CancellationToken.None);
        time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(open.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(2));
        AgentException error = await Assert.ThrowsAsync<AgentException>(() => open).Within();
        Assert.Equal(StatusCode.DeadlineExceeded, error.Code);
        Assert.StartsWith(
            "Cannot agree on a protocol with the guest's agent: it did not answer within 30 s", error.Message, StringComparison.Ordinal);
        Assert.Contains("console.log", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("longer dial_timeout", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenAsync_ChannelCloses_SaysSo()
    {
        _agent.Details = null;
        Task<AgentConnection> open = OpenAsync();
        _agent.Die();
        AgentException error = await Assert.ThrowsAsync<AgentException>(() => open).Within();
        Assert.Equal(StatusCode.Unavailable, error.Code);
    }

    [Fact]
    public async Task OpenAsync_Cancelled_IsACancellation()
    {
        _agent.Details = null;
        using var cancellation = new CancellationTokenSource();
        Task<AgentConnection> open = AgentConnection.OpenAsync(
            _agent.HostEnd, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30), TimeProvider.System, cancellation.Token);
        await cancellation.CancelAsync();
        AgentException error = await Assert.ThrowsAsync<AgentException>(() => open).Within();
        Assert.Equal(StatusCode.Cancelled, error.Code);
    }

    [Theory]
    [InlineData(StatusCode.NotFound, "exec: \"x\": not found", "exec: \"x\": not found")]
    [InlineData(StatusCode.PermissionDenied, "exec: \"/\": permission denied", "exec: \"/\": permission denied")]
    [InlineData(StatusCode.NotFound, "no container", "Cannot do it: no container")]
    [InlineData(StatusCode.Internal, "exec: x", "Cannot do it: exec: x")]
    [InlineData(StatusCode.Internal, "a\nb\u001b[2J", "Cannot do it: a\\x0ab\\x1b[2J")]
    [InlineData(StatusCode.NotFound, "exec: \"\u001b\": x", "exec: \"\\x1b\": x")]
    [InlineData(StatusCode.DeadlineExceeded, "its processes still live", "Cannot do it: its processes still live")]
    [InlineData(StatusCode.Unavailable, "gone\n", "Cannot do it: the channel to the guest's agent is gone: gone\\x0a")]
    public void AgentException_Text_IsEscapedAndAProgramsErrorIsItsOwn(StatusCode code, string detail, string expected) =>
        Assert.Equal(expected, new AgentException("do it", new RpcException(new Status(code, detail))).Message);

    private Task<AgentConnection> OpenAsync() =>
        AgentConnection.OpenAsync(
            _agent.HostEnd, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10), TimeProvider.System, CancellationToken.None);
}
