using System.Text;
using Kata.Hypervisor.Qemu.Qmp;
using Kata.Linux;
using Microsoft.Extensions.Time.Testing;

namespace Kata.Hypervisor.Qemu.Tests;

public sealed class QmpConnectionTests : IAsyncLifetime
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_commandTimeout = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _time = new();
    private readonly QemuEvents _events = new("channel0");
    private readonly DescriptorStream _qemu;
    private readonly QmpConnection _connection;

    public QmpConnectionTests()
    {
        (SafeFileDescriptor ours, SafeFileDescriptor theirs) = UnixSocket.Pair();
        _qemu = new DescriptorStream(theirs);
        _connection = new QmpConnection(new DescriptorStream(ours), _events.Observe, s_commandTimeout, _time);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _qemu.DisposeAsync();
    }

    [Fact]
    public async Task Open_GreetingThenCapabilities_Completes()
    {
        Task open = _connection.OpenAsync(Cancellation);
        await SendAsync("{\"QMP\":{}}\r\n");
        Assert.Contains("\"qmp_capabilities\"", await ReceiveAsync());
        await SendAsync("{\"return\":{},\"id\":1}\r\n");

        await open.WaitAsync(s_limit, Cancellation);
    }

    [Fact]
    public async Task Execute_Refused_CarriesTheClassAndEscapesTheText()
    {
        Task command = _connection.ExecuteAsync(QmpCommand.Continue, Cancellation);
        await ReceiveAsync();
        await SendAsync("{\"id\":1,\"error\":{\"class\":\"GenericError\",\"desc\":\"bad\\u001b[2J\"}}\n");

        HypervisorException error = await Assert.ThrowsAsync<HypervisorException>(() => command.WaitAsync(s_limit, Cancellation));
        Assert.Equal("GenericError", error.Code);
        Assert.Contains("'cont' of QEMU: bad\\x1b[2J", error.Message);
    }

    [Fact]
    public async Task Execute_AnswersOutOfOrderAndUnknownIds_FindTheirCommand()
    {
        Task<System.Text.Json.JsonElement> first = _connection.ExecuteAsync(QmpCommand.QueryStatus, Cancellation);
        Task<System.Text.Json.JsonElement> second = _connection.ExecuteAsync(QmpCommand.QueryStatus, Cancellation);
        await SendAsync("{\"return\":9,\"id\":99}\n{\"return\":9}\n{\"return\":22,\"id\":2}\n\n{\"return\":11,\"id\":1}\n");

        Assert.Equal(11, (await first.WaitAsync(s_limit, Cancellation)).GetInt32());
        Assert.Equal(22, (await second.WaitAsync(s_limit, Cancellation)).GetInt32());
    }

    [Fact]
    public async Task Execute_NoAnswer_EndsAtTheLimit()
    {
        Task command = _connection.ExecuteAsync(QmpCommand.Stop, Cancellation);
        await ReceiveAsync();
        _time.Advance(s_commandTimeout + TimeSpan.FromSeconds(1));

        HypervisorException error = await Assert.ThrowsAsync<HypervisorException>(() => command.WaitAsync(s_limit, Cancellation));
        Assert.Contains("stop took longer than 5 s", error.Message);
    }

    [Theory]
    [InlineData("garbage\n")]
    [InlineData("{\"event\":\"half")]
    [InlineData("")]
    public async Task Receive_BrokenOrClosed_FailsEveryWaiterAndLaterCommands(string last)
    {
        Task open = _connection.OpenAsync(Cancellation);
        Task command = _connection.ExecuteAsync(QmpCommand.Stop, Cancellation);
        await SendAsync(last);
        await _qemu.DisposeAsync();

        await Assert.ThrowsAsync<HypervisorException>(() => open.WaitAsync(s_limit, Cancellation));
        await Assert.ThrowsAsync<HypervisorException>(() => command.WaitAsync(s_limit, Cancellation));
        await _connection.Closed.WaitAsync(s_limit, Cancellation);
        HypervisorException late = await Assert.ThrowsAsync<HypervisorException>(
            () => _connection.ExecuteAsync(QmpCommand.Quit, Cancellation));
        Assert.IsType<QmpProtocolException>(late.InnerException);
    }

    [Fact]
    public async Task Receive_EndlessLine_EndsTheConnectionWithinBounds()
    {
        Task writing = WriteForeverAsync();

        await _connection.Closed.WaitAsync(s_limit, Cancellation);
        await _connection.DisposeAsync();
        await writing.WaitAsync(s_limit, Cancellation);
    }

    [Fact]
    public async Task Receive_FloodOfEvents_KeepsWhatMatters()
    {
        string noise = string.Concat(Enumerable.Repeat("{\"event\":\"RTC_CHANGE\",\"data\":{\"offset\":1}}\n", 20_000));
        await SendAsync(
            "{\"event\":\"VSERPORT_CHANGE\",\"data\":{\"open\":true,\"id\":\"other\"}}\n"
                + "{\"event\":\"VSERPORT_CHANGE\",\"data\":[]}\n");
        await SendAsync(noise);
        Assert.False(_events.AgentPortOpened.IsCompleted);
        await SendAsync("{\"event\":\"VSERPORT_CHANGE\",\"data\":{\"open\":true,\"id\":\"channel0\"}}\n");
        await _events.AgentPortOpened.WaitAsync(s_limit, Cancellation);
        await SendAsync(
            "{\"event\":\"GUEST_PANICKED\"}\n{\"event\":\"SHUTDOWN\",\"data\":{\"reason\":\"guest-panic\"}}\n"
                + "{\"event\":\"SHUTDOWN\",\"data\":{\"reason\":\"x\"}}\n");
        await _qemu.DisposeAsync();
        await _connection.Closed.WaitAsync(s_limit, Cancellation);

        Assert.True(_events.GuestPanicked);
        Assert.Equal("guest-panic", _events.ShutdownReason);
    }

    private async Task WriteForeverAsync()
    {
        byte[] block = new byte[64 * 1024];
        Array.Fill(block, (byte)'x');
        try
        {
            while (true)
            {
                await _qemu.WriteAsync(block, Cancellation);
            }
        }
        catch (LinuxException)
        {
            // EPIPE: the connection gave up, as it should.
        }
    }

    private async Task SendAsync(string text) =>
        await _qemu.WriteAsync(Encoding.UTF8.GetBytes(text), Cancellation).AsTask().WaitAsync(s_limit, Cancellation);

    private async Task<string> ReceiveAsync()
    {
        byte[] buffer = new byte[4096];
        int count = await _qemu.ReadAsync(buffer, Cancellation).AsTask().WaitAsync(s_limit, Cancellation);
        return Encoding.UTF8.GetString(buffer, 0, count);
    }
}
