using Grpc.Core;
using Kata.Configuration;
using Kata.Containerd.Protocol.TaskV2;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Testing;
using Kata.TtRpc;
using Microsoft.Extensions.Logging.Abstractions;
using Task = System.Threading.Tasks.Task;

namespace Kata.Service.Tests;

/// <summary>The service of a pod that has no machine, over a connection, with a real stand-in.</summary>
public sealed class TaskServiceTests : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly PodHost _host;
    private readonly PodLife _life;
    private readonly TtRpcClient _client;
    private readonly InMemoryDuplex _far;
    private readonly Task _serving;
    private readonly Containerd.Protocol.TaskV2.Task.TaskClient _tasks;

    public TaskServiceTests()
    {
        Directory.CreateDirectory(_directory.File("p1"));
        _host = new PodHost(
            new ServiceOptions
            {
                Root = _directory.Path,
                Sandbox = SandboxId.Parse("p1"),
                Configuration = new ConfigurationSources { SearchPaths = [], InstallPrefix = "/usr/local", HostCpuCount = 1 },
            },
            NullLogger.Instance);
        _life = new PodLife(_host);
        var server = new TtRpcServer();
        Containerd.Protocol.TaskV2.Task.BindService(server.Services, new TaskService(_host, _life));
        (InMemoryDuplex near, _far) = InMemoryDuplex.CreatePair();
        _serving = server.ServeAsync(_far, CancellationToken.None); // ends with the connection
        _client = new TtRpcClient(near);
        _tasks = new Containerd.Protocol.TaskV2.Task.TaskClient(_client.CallInvoker);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _far.DisposeAsync();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _host.DisposeAsync();
        _directory.Dispose();
    }

    /// <summary>It waits for another create, and its caller gives up or is killed: nobody else knows of its stand-in.</summary>
    [Fact]
    public async Task Create_CalledOffAtTheGate_SendsItsStandInAway()
    {
        await using StandIn standIn = await ConnectAsync("c1", "");
        await _life.Gate.WaitAsync(TestContext.Current.CancellationToken);
        using AsyncUnaryCall<CreateTaskResponse> create = _tasks.CreateAsync(
            new CreateTaskRequest { Id = "c1", Bundle = "/bundle" }, cancellationToken: TestContext.Current.CancellationToken);
        await using StandIn next = await ConnectWhenTakenAsync("c1");

        await _far.DisposeAsync(); // whoever wants nothing any more hangs up

        Assert.Equal((255, null), await standIn.WaitAsync(null, TestContext.Current.CancellationToken).Within());
        _life.Gate.Release();
    }

    [Fact]
    public async Task Exec_Refused_SendsItsStandInAway()
    {
        await using StandIn standIn = await ConnectAsync("c1", "e1");

        RpcException error = await Assert.ThrowsAsync<RpcException>(
            () => _tasks.ExecAsync(
                new ExecProcessRequest { Id = "c1", ExecId = "e1" },
                cancellationToken: TestContext.Current.CancellationToken).ResponseAsync).Within();

        Assert.Equal(StatusCode.NotFound, error.StatusCode);
        Assert.Equal((255, null), await standIn.WaitAsync(null, TestContext.Current.CancellationToken).Within());
    }

    /// <summary>Somebody has taken the directory away, and there is another of its name.</summary>
    [Fact]
    public async Task Shutdown_DirectoryIsAnothersByNow_EndsAndLeavesThatAlone()
    {
        string directory = _directory.File("p1");
        Directory.Move(directory, _directory.File("away"));
        await File.WriteAllTextAsync(directory, "", TestContext.Current.CancellationToken); // another's, which is not ours to remove

        await _tasks.ShutdownAsync(new ShutdownRequest { Id = "p1", Now = true }, cancellationToken: TestContext.Current.CancellationToken)
            .ResponseAsync.Within();

        await _life.Ended.Within();
        Assert.True(File.Exists(directory));
        await _host.DirectoryGoneAsync().Within();
    }

    private async Task<StandIn> ConnectAsync(string container, string execId)
    {
        using SafeFileDescriptor nothing = LinuxException.ThrowIfInvalid(
            LibC.open("/dev/null", LibC.O_RDWR | LibC.O_CLOEXEC, 0), "open", "open '/dev/null'");
        return await StandIn.ConnectAsync(
            _directory.File("p1/stand-in.sock"), container, execId, null, [nothing, nothing, nothing], plainNewlines: false,
            detached: false, TestContext.Current.CancellationToken);
    }

    // A second one for the same process is refused for as long as nobody has taken the first.
    private async Task<StandIn> ConnectWhenTakenAsync(string container)
    {
        while (true)
        {
            try
            {
                return await ConnectAsync(container, "");
            }
            catch (IOException error) when (error.Message.Contains("has a stand-in already", StringComparison.Ordinal))
            {
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }
        }
    }
}
