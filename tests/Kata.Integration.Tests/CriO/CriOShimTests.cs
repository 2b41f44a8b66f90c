using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kata.Containerd.Protocol.TaskV2;
using Kata.Containerd.Protocol.Types;
using Kata.Integration.Tests.Harness;
using TaskClient = Kata.Containerd.Protocol.TaskV2.Task.TaskClient;
using Task = System.Threading.Tasks.Task;

namespace Kata.Integration.Tests.CriO;

/// <summary>CRI-O's <c>runtime_type = "vm"</c>: its documents, its calls of the shim, its requests and their order.</summary>
[Collection(ContainersGroup.Name)]
public sealed class CriOShimTests : IClassFixture<CriOShimFixture>
{
    /// <summary>A service that nobody needs ends sooner than the 30 s that it gives an engine for its last word.</summary>
    private static readonly TimeSpan s_end = TimeSpan.FromSeconds(15);

    private readonly CriOShimFixture _crio;

    public CriOShimTests(CriOShimFixture crio)
    {
        RuntimeFixture.Require();
        _crio = crio;
    }

    [Fact]
    public async Task Pod_FromRunToRemoval_AsCrioAsksForIt()
    {
        CriOPod pod = await _crio.MakePodAsync();
        string podBundle = pod.WriteSandbox();
        TaskClient ofPod = await _crio.ConnectAsync(pod.Id, podBundle);
        await RunAsync(ofPod, pod.Id, podBundle);
        int service = _crio.ServicePid(pod.Id);

        string app = _crio.NewId();
        string bundle = pod.WriteContainer(app, ["/bin/sleep", "4711"]);
        TaskClient tasks = await _crio.ConnectAsync(app, bundle);
        uint pid = await RunAsync(tasks, app, bundle);
        Assert.Equal(Kata.Containerd.Protocol.Types.Status.Running, (await tasks.StateAsync(new StateRequest { Id = app })).Status);
        await tasks.KillAsync(new KillRequest { Id = app }); // IsContainerAlive: signal 0
        StatsResponse stats = await tasks.StatsAsync(new StatsRequest { Id = app });
        Assert.Contains(stats.Stats.TypeUrl, new[] { "io.containerd.cgroups.v1.Metrics", "io.containerd.cgroups.v2.Metrics" });

        // The document is the container's, which has no terminal; the request has.
        Assert.Equal("997 /dev/pts/0", await ExecAsync(
            tasks, app, bundle, ofDocument: false, terminal: true, "sh", "-c", "echo $(cat /proc/self/oom_score_adj) $(tty)"));
        // A container with one, and an exec without.
        Assert.Equal("not a tty", await ExecAsync(tasks, app, bundle, ofDocument: true, terminal: false, "sh", "-c", "tty; true"));

        await DebugAsync(pod, await pod.PinProcessesAsync(pid.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        await RefuseTargetAsync(pod, $"/proc/{service}/ns/ipc");
        await RemoveAsync(tasks, app);
        await ofPod.StateAsync(new StateRequest { Id = pod.Id }); // Shutdown of a pod that lives means nothing
        await RemoveAsync(ofPod, pod.Id);

        await EndedAsync(service);
        Assert.False(File.Exists(_crio.Published));
    }

    /// <summary>CRI-O deletes by force what it could not create, and keeps the connection.</summary>
    [Fact]
    public async Task Create_ThatFails_LeavesNoService()
    {
        CriOPod pod = await _crio.MakePodAsync();
        string bundle = pod.WriteSandbox(config => CriOPod.Join(config, "ipc", Path.Combine(_crio.DirectoryPath, "nothing")));
        TaskClient tasks = await _crio.ConnectAsync(pod.Id, bundle);
        int service = _crio.ServicePid(pod.Id);

        RpcException error = await Assert.ThrowsAsync<RpcException>(
            () => tasks.CreateAsync(new CreateTaskRequest { Id = pod.Id, Bundle = bundle }).ResponseAsync);
        Assert.Contains("holds no namespace", error.Status.Detail, StringComparison.Ordinal);
        await Assert.ThrowsAsync<RpcException>(() => tasks.DeleteAsync(new DeleteRequest { Id = pod.Id }).ResponseAsync);
        await tasks.ShutdownAsync(new ShutdownRequest { Id = pod.Id });

        await EndedAsync(service);
    }

    /// <summary>Asked of every runtime at each start of CRI-O, and by containerd 2 with -info.</summary>
    [Fact]
    public async Task Features_OfTheShim_AreTheRuntimes()
    {
        CommandResult features = (await _crio.ShimAsync("/", "features")).Ok();
        CommandResult info = (await _crio.ShimAsync("/", "-info")).Ok();

        Assert.Equal((await _crio.RunAsync("features")).Ok().Text, features.Text);
        Assert.Equal("", features.Error);
        Any told = RuntimeInfo.Parser.ParseFrom(info.Output).Features;
        Assert.Equal("types.containerd.io/opencontainers/runtime-spec/1/features/Features", told.TypeUrl);
        using var document = JsonDocument.Parse(told.Value.ToByteArray());
        Assert.Equal("1.0.0", document.RootElement.GetProperty("ociVersionMin").GetString());
    }

    // One container works in the pod, so the processes that are to be seen are its.
    private async Task DebugAsync(CriOPod pod, string file)
    {
        string id = _crio.NewId();
        string bundle = pod.WriteContainer(id, ["/bin/sleep", "100000"], config => CriOPod.Join(config, "pid", file));
        TaskClient tasks = await _crio.ConnectAsync(id, bundle);
        await RunAsync(tasks, id, bundle);
        Assert.Equal(
            "/bin/sleep 4711",
            await ExecAsync(tasks, id, bundle, ofDocument: false, terminal: false, "sh", "-c", "tr '\\0' ' ' < /proc/1/cmdline"));
        await RemoveAsync(tasks, id);
    }

    private async Task RefuseTargetAsync(CriOPod pod, string path)
    {
        string id = _crio.NewId();
        string bundle = pod.WriteContainer(id, ["/bin/true"], config => CriOPod.Join(config, "ipc", path[..^3] + "uts"));
        TaskClient tasks = await _crio.ConnectAsync(id, bundle);
        RpcException error = await Assert.ThrowsAsync<RpcException>(
            () => tasks.CreateAsync(new CreateTaskRequest { Id = id, Bundle = bundle }).ResponseAsync);
        Assert.Contains("another kernel", error.Status.Detail, StringComparison.Ordinal);
        await tasks.ShutdownAsync(new ShutdownRequest { Id = id });
    }

    private async Task<uint> RunAsync(TaskClient tasks, string id, string bundle)
    {
        var options = new Any
        {
            TypeUrl = "runtimeoptions.v1.Options",
            Value = new Options { ConfigPath = _crio.ConfigurationFile }.ToByteString(), // runtime_config_path
        };
        uint pid = (await tasks.CreateAsync(new CreateTaskRequest { Id = id, Bundle = bundle, Options = options })).Pid;
        await tasks.StartAsync(new StartRequest { Id = id });
        return pid;
    }

    // StopContainer and deleteContainer.
    private static async Task RemoveAsync(TaskClient tasks, string id)
    {
        AsyncUnaryCall<WaitResponse> wait = tasks.WaitAsync(new WaitRequest { Id = id }, deadline: DateTime.UtcNow + RuntimeFixture.Limit);
        await tasks.KillAsync(new KillRequest { Id = id, Signal = 9 });
        Assert.Equal(137u, (await wait).ExitStatus);
        await tasks.DeleteAsync(new DeleteRequest { Id = id });
        await tasks.ShutdownAsync(new ShutdownRequest { Id = id });
    }

    private async Task<string> ExecAsync(
        TaskClient tasks, string id, string bundle, bool ofDocument, bool terminal, params string[] program)
    {
        string name = Guid.NewGuid().ToString("N"), output = Path.Combine(_crio.NewDirectory("fifo"), "out");
        JsonObject process = CriOPod.ProcessOf(bundle, ofDocument, program);
        using (RunningCommand fifo = RunningCommand.Start("/usr/bin/mkfifo", [output]))
        {
            (await fifo.FinishAsync(default, RuntimeFixture.Limit)).Ok();
        }

        using RunningCommand reader = RunningCommand.Start("/bin/cat", [output]);
        await tasks.ExecAsync(new ExecProcessRequest
        {
            Id = id,
            ExecId = name,
            Stdout = output,
            Terminal = terminal,
            Spec = new Any
            {
                TypeUrl = "types.containerd.io/opencontainers/runtime-spec/1/Process",
                Value = ByteString.CopyFromUtf8(process.ToJsonString()),
            },
        });
        await tasks.StartAsync(new StartRequest { Id = id, ExecId = name });
        await tasks.ResizePtyAsync(new ResizePtyRequest { Id = id, ExecId = name, Width = 80, Height = 24 });
        Assert.Equal(0u, (await tasks.WaitAsync(
            new WaitRequest { Id = id, ExecId = name }, deadline: DateTime.UtcNow + RuntimeFixture.Limit)).ExitStatus);
        CommandResult read = await reader.FinishAsync(default, RuntimeFixture.Limit);
        await tasks.DeleteAsync(new DeleteRequest { Id = id, ExecId = name });
        return Encoding.UTF8.GetString(read.Output).TrimEnd('\r', '\n', ' ');
    }

    private static async Task EndedAsync(int service)
    {
        using var limit = new CancellationTokenSource(s_end);
        Assert.True(await HostProcess.EndedAsync(service, limit.Token), "the service stays");
    }
}
