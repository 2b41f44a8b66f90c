using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kata.Containerd.Protocol.TaskV2;
using Kata.Integration.Tests.Harness;
using Kata.Linux;
using Kata.TtRpc;
using TaskClient = Kata.Containerd.Protocol.TaskV2.Task.TaskClient;
using Task = System.Threading.Tasks.Task;

namespace Kata.Integration.Tests.Containerd;

/// <summary>
/// The shim called as containerd calls it, by a caller that can be what no containerd here is: without a socket for events, on a full disk.
/// </summary>
[Collection(ContainersGroup.Name)]
public sealed partial class DirectShimTests : IClassFixture<DirectShimTests.Fixture>
{
    private static readonly string[] s_life = ["/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete"];

    private readonly Fixture _shim;

    public DirectShimTests(Fixture shim)
    {
        RuntimeFixture.Require();
        _shim = shim;
    }

    [Fact]
    public async Task Start_WithoutASocketForEvents_CallsThePublisher()
    {
        string told = Path.Combine(_shim.DirectoryPath, "told");
        string publisher = Path.Combine(_shim.DirectoryPath, "publisher");
        // As containerd's own: --address A publish --topic T --namespace N, the event on standard input.
        await File.WriteAllTextAsync(
            publisher,
            $"#!/bin/sh\necho \"$@ $(grep -a -o 'containerd.events.[A-Za-z]*')\" >> '{told}'\n",
            TestContext.Current.CancellationToken);
        File.SetUnixFileMode(publisher, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        string id = _shim.NewId();
        string bundle = _shim.NewBundle().Args("true").Write();

        CommandResult start = (await _shim.ShimAsync(bundle, id, ["-publish-binary", publisher])).Ok();
        await LiveAsync(start.Text, id, bundle);

        using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
        while (!File.Exists(told) || (await File.ReadAllLinesAsync(told, limit.Token)).Length < s_life.Length)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
        }

        string[] lines = await File.ReadAllLinesAsync(told, limit.Token);
        Assert.Equal(s_life, lines.Select(static line => line.Split(' ')[4]));
        Assert.All(lines, line => Assert.StartsWith("--address /nowhere/c.sock publish --topic /tasks/", line, StringComparison.Ordinal));
        Assert.All(lines, line => Assert.Contains($"--namespace {_shim.Namespace} containerd.events.Task", line, StringComparison.Ordinal));
        await _shim.AssertCleanAsync();
    }

    /// <summary>CRI-O's way: no address, no publisher, no socket for events, its own annotations, and a file instead of an event.</summary>
    [Fact]
    public async Task Start_AsCriOCalls_PutsContainersIntoThePod()
    {
        string pod = _shim.NewId(), id = _shim.NewId();
        string podBundle = _shim.NewBundle().Args("sleep", "100000").Annotation("io.kubernetes.cri-o.ContainerType", "sandbox").Write();
        string bundle = _shim.NewBundle()
            .Shell("while :; do dd if=/dev/zero bs=1M count=64 >> /tmp/fill 2>/dev/null; done")
            .Mount("/tmp", "tmpfs", "tmpfs", "size=1g")
            .Annotation("io.kubernetes.cri-o.ContainerType", "container")
            .Annotation("io.kubernetes.cri-o.SandboxID", pod)
            .Write();

        string address = (await _shim.ShimAsync(podBundle, pod, ["-publish-binary", ""])).Ok().Text;
        await using (var connection = new TtRpcClient(new DescriptorStream(UnixSocket.Connect(address["unix://".Length..]))))
        {
            var tasks = new TaskClient(connection.CallInvoker);
            await tasks.CreateAsync(new CreateTaskRequest { Id = pod, Bundle = podBundle });
            await tasks.StartAsync(new StartRequest { Id = pod });
            Assert.Equal(address, (await _shim.ShimAsync(bundle, id, ["-publish-binary", ""])).Ok().Text);
            await tasks.CreateAsync(new CreateTaskRequest { Id = id, Bundle = bundle });
            await tasks.StartAsync(new StartRequest { Id = id });
            Assert.Equal(
                137u, (await tasks.WaitAsync(new WaitRequest { Id = id }, deadline: DateTime.UtcNow + RuntimeFixture.Limit)).ExitStatus);
            Assert.True(File.Exists(Path.Combine(bundle, "oom")));
            await tasks.DeleteAsync(new DeleteRequest { Id = id });
            await tasks.KillAsync(new KillRequest { Id = pod, Signal = 9 });
            await tasks.WaitAsync(new WaitRequest { Id = pod }, deadline: DateTime.UtcNow + RuntimeFixture.Limit);
            await tasks.DeleteAsync(new DeleteRequest { Id = pod });
            await tasks.ShutdownAsync(new ShutdownRequest { Id = pod });
        }

        await _shim.AssertCleanAsync();
    }

    /// <summary>
    /// Every call by an unknown id, in the wrong state and with the wrong contents: each is refused by its right name, and the pod lives.
    /// </summary>
    [Fact]
    public async Task Service_BadRequests_AreRefusedAndThePodLives()
    {
        string id = _shim.NewId();
        string bundle = _shim.NewBundle().Args("sleep", "100000").Write();
        string address = (await _shim.ShimAsync(bundle, id, [])).Ok().Text;
        await using (var connection = new TtRpcClient(new DescriptorStream(UnixSocket.Connect(address["unix://".Length..]))))
        {
            var tasks = new TaskClient(connection.CallInvoker);
            await RefusedAsync(StatusCode.NotFound, () => tasks.StateAsync(new StateRequest { Id = id })); // not created yet
            var garbage = ByteString.CopyFrom(0xff, 0xff, 0xff);
            await RefusedAsync(
                StatusCode.InvalidArgument, () => tasks.CreateAsync(new CreateTaskRequest { Id = "../escape", Bundle = bundle }));
            await tasks.CreateAsync(new CreateTaskRequest { Id = id, Bundle = bundle });
            await RefusedAsync(StatusCode.AlreadyExists, () => tasks.CreateAsync(new CreateTaskRequest { Id = id, Bundle = bundle }));
            await tasks.StartAsync(new StartRequest { Id = id });
            await RefusedAsync(StatusCode.FailedPrecondition, () => tasks.StartAsync(new StartRequest { Id = id }));
            await RefusedAsync(StatusCode.FailedPrecondition, () => tasks.DeleteAsync(new DeleteRequest { Id = id }));
            await RefusedAsync(StatusCode.FailedPrecondition, () => tasks.ResumeAsync(new ResumeRequest { Id = id }));

            await RefusedAsync(StatusCode.NotFound, () => tasks.StartAsync(new StartRequest { Id = "none" }));
            await RefusedAsync(StatusCode.NotFound, () => tasks.StateAsync(new StateRequest { Id = id, ExecId = "none" }));
            await RefusedAsync(StatusCode.NotFound, () => tasks.KillAsync(new KillRequest { Id = "none", Signal = 9 }));
            await RefusedAsync(StatusCode.NotFound, () => tasks.WaitAsync(new WaitRequest { Id = "none" }));
            await RefusedAsync(StatusCode.NotFound, () => tasks.DeleteAsync(new DeleteRequest { Id = "none" }));
            await RefusedAsync(StatusCode.NotFound, () => tasks.StatsAsync(new StatsRequest { Id = "none" }));
            await RefusedAsync(StatusCode.NotFound, () => tasks.PidsAsync(new PidsRequest { Id = "none" }));
            await RefusedAsync(
                StatusCode.NotFound, () => tasks.ResizePtyAsync(new ResizePtyRequest { Id = "none", Height = 1, Width = 1 }));
            await RefusedAsync(StatusCode.NotFound, () => tasks.CloseIOAsync(new CloseIORequest { Id = "none", Stdin = true }));
            await RefusedAsync(StatusCode.Unimplemented, () => tasks.CheckpointAsync(new CheckpointTaskRequest { Id = id }));

            await RefusedAsync(StatusCode.InvalidArgument, () =>
                tasks.ExecAsync(new ExecProcessRequest { Id = id, ExecId = "e", Spec = new Any { TypeUrl = "x/WindowsProcess" } }));
            await RefusedAsync(StatusCode.InvalidArgument, () =>
                tasks.ExecAsync(new ExecProcessRequest { Id = id, ExecId = "e", Spec = new Any { Value = garbage } }));
            await RefusedAsync(StatusCode.InvalidArgument, () =>
                tasks.UpdateAsync(new UpdateTaskRequest { Id = id, Resources = new Any { TypeUrl = "x/WindowsResources" } }));
            await RefusedAsync(StatusCode.InvalidArgument, () =>
                tasks.UpdateAsync(new UpdateTaskRequest { Id = id, Resources = new Any { Value = garbage } }));
            await RefusedAsync(StatusCode.InvalidArgument, () => tasks.KillAsync(new KillRequest { Id = id, Signal = 4711 }));
            await RefusedAsync(StatusCode.ResourceExhausted, () => tasks.StateAsync(new StateRequest { Id = new string('x', 5 << 20) }));

            Assert.Equal(Kata.Containerd.Protocol.Types.Status.Running, (await tasks.StateAsync(new StateRequest { Id = id })).Status);
            await tasks.KillAsync(new KillRequest { Id = id, Signal = 9 });
            await tasks.WaitAsync(new WaitRequest { Id = id }, deadline: DateTime.UtcNow + RuntimeFixture.Limit);
            await tasks.DeleteAsync(new DeleteRequest { Id = id });
            await tasks.ShutdownAsync(new ShutdownRequest { Id = id });
        }

        await _shim.AssertCleanAsync();

        static async Task RefusedAsync<T>(
            StatusCode expected, Func<AsyncUnaryCall<T>> call, [CallerArgumentExpression(nameof(call))] string what = "")
        {
            RpcException error = await Assert.ThrowsAsync<RpcException>(() => call().ResponseAsync);
            Assert.True(expected == error.StatusCode, $"{what}: {error.Status}");
        }
    }

    /// <summary>containerd's own limits are those of its containers, and its documents say by numbers who a process is.</summary>
    [Fact]
    public async Task Process_OfAnyDocument_HasTheShimsLimitsAndTheNumbersUser()
    {
        const string Script = "test $(id -u):$(id -g) = 5:6 && test $HOME = / && test $(ulimit -S -n):$(ulimit -H -n) = 705:805";
        const string User = """{"uid":5,"gid":6,"username":"root"}""";
        string id = _shim.NewId();
        string bundle = _shim.NewBundle().Shell($"{Script} && sleep 100000").Edit(static bundle =>
        {
            bundle.Process.Remove("rlimits");
            bundle.Process["user"] = JsonNode.Parse(User);
        }).Write();
        string process = $$"""{"args":["sh","-c","{{Script}}"],"cwd":"/","env":["PATH=/bin"],"user":{{User}}}""";

        string address = (await _shim.ShimAsync(bundle, id, [], limits: "ulimit -S -n 705; ulimit -H -n 805")).Ok().Text;
        await using (var connection = new TtRpcClient(new DescriptorStream(UnixSocket.Connect(address["unix://".Length..]))))
        {
            var tasks = new TaskClient(connection.CallInvoker);
            await tasks.CreateAsync(new CreateTaskRequest { Id = id, Bundle = bundle });
            await tasks.StartAsync(new StartRequest { Id = id });
            await tasks.ExecAsync(new ExecProcessRequest
            {
                Id = id,
                ExecId = "e",
                Spec = new Any { TypeUrl = "x/Process", Value = ByteString.CopyFromUtf8(process) },
            });
            await tasks.StartAsync(new StartRequest { Id = id, ExecId = "e" });
            Assert.Equal(0u, (await tasks.WaitAsync(
                new WaitRequest { Id = id, ExecId = "e" }, deadline: DateTime.UtcNow + RuntimeFixture.Limit)).ExitStatus);
            // Its own test was passed too.
            Assert.Equal(Kata.Containerd.Protocol.Types.Status.Running, (await tasks.StateAsync(new StateRequest { Id = id })).Status);
            await tasks.KillAsync(new KillRequest { Id = id, Signal = 9 });
            await tasks.WaitAsync(new WaitRequest { Id = id }, deadline: DateTime.UtcNow + RuntimeFixture.Limit);
            await tasks.DeleteAsync(new DeleteRequest { Id = id });
            await tasks.ShutdownAsync(new ShutdownRequest { Id = id });
        }

        await _shim.AssertCleanAsync();
    }

    /// <summary>What containerd does when the shim's socket closes.</summary>
    [Fact]
    public async Task Delete_AfterTheShimWasKilled_Reports137AndLeavesNothing()
    {
        string id = _shim.NewId();
        string bundle = _shim.NewBundle().Args("sleep", "100000").Write();
        string address = (await _shim.ShimAsync(bundle, id, [])).Ok().Text;
        await using (var connection = new TtRpcClient(new DescriptorStream(UnixSocket.Connect(address["unix://".Length..]))))
        {
            var tasks = new TaskClient(connection.CallInvoker);
            await tasks.CreateAsync(new CreateTaskRequest { Id = id, Bundle = bundle });
            await tasks.StartAsync(new StartRequest { Id = id });
            AsyncUnaryCall<WaitResponse> wait = tasks.WaitAsync(
                new WaitRequest { Id = id }, deadline: DateTime.UtcNow + RuntimeFixture.Limit);
            HostProcess.Signal(_shim.ServicePid(id), Signals.SIGKILL);
            // Nobody waits for ever.
            Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => wait.ResponseAsync)).StatusCode);
        }

        CommandResult delete = (await _shim.ShimAsync(bundle, id, [], action: "delete")).Ok();

        var response = DeleteResponse.Parser.ParseFrom(delete.Output);
        Assert.Equal(137u, response.ExitStatus);
        Assert.InRange(response.ExitedAt.ToDateTime(), DateTime.UtcNow - RuntimeFixture.Limit, DateTime.UtcNow);
        await _shim.AssertCleanAsync();
    }

    /// <summary>prctl(2), PR_SCHED_CORE: needs a kernel with core scheduling and a processor with threads, and says so.</summary>
    [Fact]
    public async Task Start_WithCoreScheduling_GivesThePodACookieOrSaysWhyNot()
    {
        string id = _shim.NewId();
        string bundle = _shim.NewBundle().Args("true").Write();
        bool possible = CookieOf(Environment.ProcessId) is not null;

        CommandResult start = await _shim.ShimAsync(bundle, id, [], "SCHED_CORE=1");

        if (possible)
        {
            start.Ok();
            Assert.NotEqual(0ul, CookieOf(_shim.ServicePid(id)));
            await LiveAsync(start.Text, id, bundle);
        }
        else
        {
            Assert.Equal(1, start.ExitCode);
            Assert.Contains("Cannot give the pod cores of its own (containerd's SCHED_CORE)", start.Error, StringComparison.Ordinal);
        }

        await _shim.AssertCleanAsync();
    }

    [Theory]
    [InlineData(true)] // where containerd finds the shim again
    [InlineData(false)] // where the pod's state is
    public async Task Start_DiskIsFull_SaysWhichAndLeavesNothing(bool bundleIsFull)
    {
        string id = _shim.NewId();
        string bundle = _shim.NewBundle().Args("true").Write();
        string full = bundleIsFull ? bundle : _shim.Root;
        Directory.CreateDirectory(full);
        string config = await File.ReadAllTextAsync(Path.Combine(bundle, "config.json"), TestContext.Current.CancellationToken);
        await Fixture.HostAsync("mount", "-t", "tmpfs", "-o", "size=64k", "none", full);
        try
        {
            if (bundleIsFull)
            {
                await File.WriteAllTextAsync(Path.Combine(bundle, "config.json"), config, TestContext.Current.CancellationToken);
                await Fixture.HostAsync("mkdir", Path.Combine(bundle, "rootfs"));
            }

            await Fixture.HostAsync("sh", "-c", $"cat /dev/zero > '{full}/filler' || true");
            CommandResult start = await _shim.ShimAsync(bundle, id, []);

            Assert.Equal(1, start.ExitCode);
            Assert.Contains("No space left on device", start.Error, StringComparison.Ordinal);
            Assert.Contains(full, start.Error, StringComparison.Ordinal);
            (await _shim.ShimAsync(bundle, id, [], action: "delete")).Ok(); // what containerd does next
        }
        finally
        {
            await Fixture.HostAsync("umount", full);
        }

        await _shim.AssertCleanAsync();
    }

    // From create to delete, as containerd would.
    private static async Task LiveAsync(string address, string id, string bundle)
    {
        await using var connection = new TtRpcClient(new DescriptorStream(UnixSocket.Connect(address["unix://".Length..])));
        var tasks = new TaskClient(connection.CallInvoker);
        await tasks.CreateAsync(new CreateTaskRequest { Id = id, Bundle = bundle });
        await tasks.StartAsync(new StartRequest { Id = id });
        Assert.Equal(0u, (await tasks.WaitAsync(new WaitRequest { Id = id }, deadline: DateTime.UtcNow + RuntimeFixture.Limit)).ExitStatus);
        await tasks.DeleteAsync(new DeleteRequest { Id = id });
        await tasks.ShutdownAsync(new ShutdownRequest { Id = id });
    }

    // Null where the kernel cannot.
    private static ulong? CookieOf(int pid) =>
        prctl(PR_SCHED_CORE, 0 /* PR_SCHED_CORE_GET */, pid, 0 /* PIDTYPE_PID */, out ulong cookie) == 0 ? cookie : null;

    private const int PR_SCHED_CORE = 62; // linux/prctl.h

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nuint command, nint pid, nuint type, out ulong cookie);

    public class Fixture : RuntimeFixture, IAsyncDisposable
    {
        internal string Namespace { get; } = $"direct{Environment.ProcessId}";

        internal override string Root => $"/run/kata/@{Namespace}";

        /// <summary>Calls the shim in a bundle, from a shell that has set itself limits.</summary>
        internal Task<CommandResult> ShimAsync(
            string bundle, string id, string[] flags, string variable = "NONE=1", string action = "start", string limits = ":") =>
            EnvAsync(
            [
                "bash", "-c", $"{limits}; exec env \"$@\"", "bash", "-C", bundle, "-u", "TTRPC_ADDRESS",
                $"KATA_CONF_FILE={ConfigurationFile}", variable, Path.Combine(DirectoryPath, "containerd-shim-kata-v2"), .. flags,
                "-namespace", Namespace, "-address", "/nowhere/c.sock", "-id", id, action,
            ]);

        internal static async Task HostAsync(params string[] command) => (await EnvAsync(command)).Ok();

        private protected override Task PrepareAsync()
        {
            File.CreateSymbolicLink(Path.Combine(DirectoryPath, "containerd-shim-kata-v2"), RuntimePath!);
            return Task.CompletedTask;
        }

        async ValueTask IAsyncDisposable.DisposeAsync()
        {
            GC.SuppressFinalize(this);
            await StopAsync();
            await base.DisposeAsync();
            if (Directory.Exists(Root))
            {
                Directory.Delete(Root, recursive: true);
            }
        }

        /// <summary>Ends what the fixture's tests share, as containerd would.</summary>
        private protected virtual Task StopAsync() => Task.CompletedTask;

        private static async Task<CommandResult> EnvAsync(string[] arguments)
        {
            using RunningCommand command = RunningCommand.Start("/usr/bin/env", arguments);
            return await command.FinishAsync(default, Limit);
        }
    }
}
