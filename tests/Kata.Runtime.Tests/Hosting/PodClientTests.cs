using System.Threading.Channels;
using Grpc.Core;
using Kata.Containerd.Protocol.TaskV2;
using Kata.Linux;
using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Sandbox;
using Kata.Testing;
using Kata.TtRpc;
using Microsoft.Extensions.Time.Testing;
using Empty = Google.Protobuf.WellKnownTypes.Empty;
using Task = System.Threading.Tasks.Task;

namespace Kata.Runtime.Tests;

public sealed class PodClientTests : IDisposable
{
    private static readonly ContainerId s_id = ContainerId.Parse("c1");

    private readonly TemporaryDirectory _directory = new();
    private readonly TimerQueue _time = new();
    private readonly SandboxDirectories _directories;
    private readonly SandboxId _sandbox = SandboxId.Parse("c1");

    public PodClientTests()
    {
        _directories = new SandboxDirectories(_directory.Path);
        Directory.CreateDirectory(_directories.Sandbox(_sandbox));
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task AnyCall_ServiceDoesNotAnswer_FailsAfterTenSecondsAndNamesIt()
    {
        // The kernel completes the connection; nobody takes it. So does that of a process that was stopped.
        using SafeFileDescriptor listener = UnixSocket.Listen(_directories.TaskSocket(_sandbox));
        await using PodClient client = PodClient.Connect(_directories, _sandbox, _time);
        (string Action, Func<Task> Call)[] calls =
        [
            ("start the container", () => client.StartAsync(s_id, TimeSpan.Zero)),
            ("signal the container", () => client.KillAsync(s_id, 15, all: false)),
            ("delete the container", () => client.DeleteAsync(s_id, force: true, TimeSpan.Zero, static () => false)),
            ("execute in the container", () => client.CheckAliveAsync("execute in the container", s_id)),
        ];
        foreach ((string action, Func<Task> begin) in calls)
        {
            long start = _time.GetTimestamp();
            Task call = begin();
            _time.Advance(await _time.NextTimer.Within());
            Assert.False(call.IsCompleted);
            _time.Advance(await _time.NextTimer.Within());
            RpcException error = await Assert.ThrowsAsync<RpcException>(() => call).Within();
            Assert.Equal(TimeSpan.FromSeconds(10), _time.GetElapsedTime(start));
            Assert.Equal(StatusCode.DeadlineExceeded, error.StatusCode);
            Assert.Equal(
                $"Cannot {action} 'c1': the pod's service (pid {Environment.ProcessId}) does not answer. "
                + "If it does not recover, remove the pod with 'kata-runtime delete --force c1'",
                error.Status.Detail);
        }
    }

    [Fact]
    public async Task AnyCall_GuestIsSlowAndServiceAnswers_Waits()
    {
        var service = new SlowService();
        await ServeAsync(service, async client =>
        {
            Task kill = client.KillAsync(s_id, 15, all: false);
            TimeSpan patience = await _time.NextTimer.Within();
            for (int ping = 1; ping <= 20; ping++)
            {
                _time.Advance(patience);
                await _time.NextTimer.Within(); // the limit of the question whether it is there
                Assert.Equal(patience, await _time.NextTimer.Within()); // answered: patience again
                Assert.Equal(ping, service.Pings);
                Assert.False(kill.IsCompleted);
            }

            service.Killed.SetResult();
            await kill.Within();
        });
    }

    [Theory]
    [InlineData(0, 120)]
    [InlineData(600, 720)]
    [InlineData(-1, -1)]
    public async Task Start_HooksMayTakeTime_IsGivenIt(int hookSeconds, int expectedSeconds)
    {
        var service = new SlowService();
        await ServeAsync(service, async client =>
        {
            DateTime before = DateTime.UtcNow;
            await client.StartAsync(s_id, hookSeconds < 0 ? null : TimeSpan.FromSeconds(hookSeconds)).Within();
            AssertLimit(before, expectedSeconds, await service.Limit.Task.Within());
        });
    }

    [Theory]
    [InlineData(false, 0, 120)]
    [InlineData(true, 0, 45)]
    [InlineData(true, 300, 345)]
    [InlineData(false, -1, -1)]
    public async Task Delete_HooksMayTakeTime_IsGivenIt(bool force, int hookSeconds, int expectedSeconds)
    {
        var service = new SlowService();
        await ServeAsync(service, async client =>
        {
            DateTime before = DateTime.UtcNow;
            await client.DeleteAsync(s_id, force, hookSeconds < 0 ? null : TimeSpan.FromSeconds(hookSeconds), static () => false).Within();
            AssertLimit(before, expectedSeconds, await service.Limit.Task.Within());
        });
    }

    private static void AssertLimit(DateTime before, int expectedSeconds, DateTime deadline)
    {
        if (expectedSeconds < 0)
        {
            Assert.Equal(DateTime.MaxValue, deadline);
            return;
        }

        Assert.InRange(deadline, before.AddSeconds(expectedSeconds - 2), before.AddSeconds(expectedSeconds + 30));
    }

    private async Task ServeAsync(SlowService service, Func<PodClient, Task> test)
    {
        using var listener = new SocketListener(UnixSocket.Listen(_directories.TaskSocket(_sandbox)));
        var server = new TtRpcServer();
        Containerd.Protocol.TaskV2.Task.BindService(server.Services, service);
        await using PodClient client = PodClient.Connect(_directories, _sandbox, _time);
        await using var stream = new DescriptorStream(await listener.AcceptAsync(TestContext.Current.CancellationToken));
        using var stopping = new CancellationTokenSource();
        Task serving = server.ServeAsync(stream, stopping.Token); // ends on stopping
        await test(client);
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => serving).Within();
    }

    private sealed class SlowService : Containerd.Protocol.TaskV2.Task.TaskBase
    {
        private int _pings;

        public int Pings => Volatile.Read(ref _pings);

        public TaskCompletionSource<DateTime> Limit { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override Task<StartResponse> Start(StartRequest request, ServerCallContext context)
        {
            Limit.SetResult(context.Deadline);
            return Task.FromResult(new StartResponse());
        }

        public override Task<DeleteResponse> Delete(DeleteRequest request, ServerCallContext context)
        {
            Limit.SetResult(context.Deadline);
            return Task.FromResult(new DeleteResponse());
        }

        public TaskCompletionSource Killed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override Task<ConnectResponse> Connect(ConnectRequest request, ServerCallContext context)
        {
            Interlocked.Increment(ref _pings);
            return Task.FromResult(new ConnectResponse());
        }

        public override async Task<Empty> Kill(KillRequest request, ServerCallContext context)
        {
            await Killed.Task;
            return new Empty();
        }
    }

    /// <summary>A clock that stands still, and tells of each timer in turn.</summary>
    private sealed class TimerQueue : FakeTimeProvider
    {
        private readonly Channel<TimeSpan> _timers = Channel.CreateUnbounded<TimeSpan>();

        public Task<TimeSpan> NextTimer => _timers.Reader.ReadAsync().AsTask();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            ITimer timer = base.CreateTimer(callback, state, dueTime, period);
            _timers.Writer.TryWrite(dueTime);
            return timer;
        }
    }
}
