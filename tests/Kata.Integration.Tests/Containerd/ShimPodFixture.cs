using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kata.Containerd.Protocol.TaskV2;
using Kata.Integration.Tests.Harness;
using Kata.Linux;
using Kata.TtRpc;
using Mount = Kata.Containerd.Protocol.Types.Mount;
using Task = System.Threading.Tasks.Task;
using TaskClient = Kata.Containerd.Protocol.TaskV2.Task.TaskClient;

namespace Kata.Integration.Tests.Containerd;

/// <summary>A pod of the shim, and containers in it whose root file systems come as containerd's mounts.</summary>
public sealed class ShimPodFixture : DirectShimTests.Fixture
{
    private TtRpcClient? _connection;

    internal string PodId { get; private set; } = "";

    /// <summary>The pod's service.</summary>
    internal TaskClient Tasks { get; private set; } = null!;

    /// <summary>Starts a service for a container, or finds its pod's.</summary>
    internal async Task<TtRpcClient> ConnectAsync(string bundle, string id)
    {
        string address = (await ShimAsync(bundle, id, [])).Ok().Text;
        return new TtRpcClient(new DescriptorStream(UnixSocket.Connect(address["unix://".Length..])));
    }

    /// <summary>A bundle as containerd makes it: its root file system is to be mounted.</summary>
    internal TestBundle NewMountBundle()
    {
        TestBundle bundle = NewBundle().RootFs("rootfs");
        Directory.CreateDirectory(Path.Combine(bundle.Directory, "rootfs"));
        return bundle;
    }

    internal static Mount RootMount(string type, string source, params string[] options) =>
        new() { Type = type, Source = source, Options = { options } };

    /// <summary>Creates a container in the pod, whose output <see cref="ReadOutput"/> reads.</summary>
    internal async Task<string> CreateAsync(TestBundle bundle, params Mount[] root)
    {
        string id = NewId(), directory = bundle.InPod(PodId).Write();
        (await ShimAsync(directory, id, [])).Ok();
        await Tasks.CreateAsync(RequestOf(id, directory, root));
        return id;
    }

    /// <summary>The same, started.</summary>
    internal async Task<string> StartAsync(TestBundle bundle, params Mount[] root)
    {
        string id = await CreateAsync(bundle, root);
        await Tasks.StartAsync(new StartRequest { Id = id });
        return id;
    }

    internal static CreateTaskRequest RequestOf(string id, string bundle, params Mount[] root) => new()
    {
        Id = id,
        Bundle = bundle,
        Rootfs = { root },
        Stdout = $"file://{bundle}/output",
        Stderr = $"file://{bundle}/output",
    };

    internal static string ReadOutput(TestBundle bundle) => File.ReadAllText(Path.Combine(bundle.Directory, "output")).Trim();

    /// <summary>Runs a container of the pod to its end and deletes it. Returns its status and what it printed.</summary>
    internal async Task<(uint Status, string Output)> RunAsync(TestBundle bundle, params Mount[] root)
    {
        string id = await StartAsync(bundle, root);
        uint status = await WaitAsync(id);
        await Tasks.DeleteAsync(new DeleteRequest { Id = id });
        return (status, ReadOutput(bundle));
    }

    /// <summary>Runs a shell in a container of the pod. Returns what it printed; it must succeed.</summary>
    internal async Task<string> ExecAsync(string id, string script)
    {
        string file = Path.Combine(NewDirectory("exec"), "output");
        string process = $$"""{"args":["sh","-c","{{script}}"],"cwd":"/","env":["PATH=/bin"],"user":{"uid":0,"gid":0} }""";
        await Tasks.ExecAsync(new ExecProcessRequest
        {
            Id = id,
            ExecId = "e",
            Stdout = $"file://{file}",
            Stderr = $"file://{file}",
            Spec = new Any { TypeUrl = "x/Process", Value = ByteString.CopyFromUtf8(process) },
        });
        await Tasks.StartAsync(new StartRequest { Id = id, ExecId = "e" });
        uint status = (await Tasks.WaitAsync(new WaitRequest { Id = id, ExecId = "e" }, deadline: DateTime.UtcNow + Limit)).ExitStatus;
        await Tasks.DeleteAsync(new DeleteRequest { Id = id, ExecId = "e" });
        string output = (await File.ReadAllTextAsync(file)).Trim();
        Assert.True(status == 0, output);
        return output;
    }

    /// <summary>Kills a container of the pod and deletes it.</summary>
    internal async Task RemoveAsync(string id)
    {
        await Tasks.KillAsync(new KillRequest { Id = id, Signal = Signals.SIGKILL });
        await WaitAsync(id);
        await Tasks.DeleteAsync(new DeleteRequest { Id = id });
    }

    internal async Task<uint> WaitAsync(string id) =>
        (await Tasks.WaitAsync(new WaitRequest { Id = id }, deadline: DateTime.UtcNow + Limit)).ExitStatus;

    private protected override async Task PrepareAsync()
    {
        await base.PrepareAsync();
        PodId = NewId();
        string bundle = NewBundle().Args("sleep", "100000").AsPod().Write();
        _connection = await ConnectAsync(bundle, PodId);
        Tasks = new TaskClient(_connection.CallInvoker);
        await Tasks.CreateAsync(new CreateTaskRequest { Id = PodId, Bundle = bundle });
        await Tasks.StartAsync(new StartRequest { Id = PodId });
    }

    private protected override async Task StopAsync()
    {
        if (_connection is { } connection)
        {
            await RemoveAsync(PodId);
            await Tasks.ShutdownAsync(new ShutdownRequest { Id = PodId });
            await connection.DisposeAsync();
        }
    }
}
