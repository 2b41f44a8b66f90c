using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kata.Containerd.Protocol.TaskV2;
using Kata.Integration.Tests.Harness;
using Kata.Linux;
using Kata.TtRpc;
using Status = Kata.Containerd.Protocol.Types.Status;
using TaskClient = Kata.Containerd.Protocol.TaskV2.Task.TaskClient;
using Task = System.Threading.Tasks.Task;

namespace Kata.Integration.Tests.Containerd;

/// <summary>Execs by the Task service, under names that the client gives: a health check always uses the same one.</summary>
[Collection(ContainersGroup.Name)]
public sealed class ShimExecTests : IClassFixture<DirectShimTests.Fixture>
{
    private readonly DirectShimTests.Fixture _shim;

    public ShimExecTests(DirectShimTests.Fixture shim)
    {
        RuntimeFixture.Require();
        _shim = shim;
    }

    [Fact]
    public async Task Exec_SameIdAfterEveryKindOfEnd_WorksAtOnce()
    {
        string id = _shim.NewId();
        string bundle = _shim.NewBundle().Args("sleep", "100000").Write();
        string address = (await _shim.ShimAsync(bundle, id, [])).Ok().Text;
        await using (var connection = new TtRpcClient(new DescriptorStream(UnixSocket.Connect(address["unix://".Length..]))))
        {
            var tasks = new TaskClient(connection.CallInvoker);
            await tasks.CreateAsync(new CreateTaskRequest { Id = id, Bundle = bundle });
            await tasks.StartAsync(new StartRequest { Id = id });
            await tasks.ResizePtyAsync(new ResizePtyRequest { Id = id, Height = 10, Width = 20 }); // it has no terminal: nothing happens

            // Described and never started.
            await AddAsync("true");
            await tasks.ResizePtyAsync(new ResizePtyRequest { Id = id, ExecId = "e", Height = 10, Width = 20 });
            StateResponse state = await tasks.StateAsync(new StateRequest { Id = id, ExecId = "e" });
            Assert.Equal((Status.Created, 0u), (state.Status, state.Pid));
            await DeleteAsync();

            // Not to be started.
            await AddAsync("/no/such/program");
            Assert.Equal(
                StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => tasks.StartAsync(Start()).ResponseAsync)).StatusCode);
            Assert.Equal(Status.Created, (await tasks.StateAsync(new StateRequest { Id = id, ExecId = "e" })).Status);
            await DeleteAsync();

            // Ended, and a child of it still has its streams.
            await AddAsync("sh", "-c", "sleep 1000 & exit 3");
            await tasks.StartAsync(Start());
            Assert.Equal(3u, await WaitAsync());
            Assert.Equal(3u, (await DeleteAsync()).ExitStatus);

            // Killed.
            await AddAsync("sleep", "1000");
            await tasks.StartAsync(Start());
            state = await tasks.StateAsync(new StateRequest { Id = id, ExecId = "e" });
            Assert.Equal(Status.Running, state.Status);
            Assert.NotEqual(0u, state.Pid);
            Assert.Equal(StatusCode.FailedPrecondition, (await Assert.ThrowsAsync<RpcException>(DeleteAsync)).StatusCode);
            await tasks.KillAsync(new KillRequest { Id = id, ExecId = "e", Signal = 9 });
            Assert.Equal(137u, await WaitAsync());
            await DeleteAsync();

            await AddAsync("sh", "-c", "exit 4");
            await tasks.StartAsync(Start());
            Assert.Equal(4u, await WaitAsync());
            Assert.Equal(Status.Stopped, (await tasks.StateAsync(new StateRequest { Id = id, ExecId = "e" })).Status);
            await DeleteAsync();

            await tasks.KillAsync(new KillRequest { Id = id, Signal = 9 });
            await tasks.WaitAsync(new WaitRequest { Id = id }, deadline: DateTime.UtcNow + RuntimeFixture.Limit);
            await tasks.DeleteAsync(new DeleteRequest { Id = id });
            await tasks.ShutdownAsync(new ShutdownRequest { Id = id });

            StartRequest Start() => new() { Id = id, ExecId = "e" };

            async Task AddAsync(params string[] program)
            {
                string arguments = string.Join(',', program.Select(static word => $"\"{word}\""));
                var process = ByteString.CopyFromUtf8(
                    $"{{\"args\":[{arguments}],\"cwd\":\"/\",\"env\":[\"PATH=/bin\"],\"user\":{{\"uid\":0,\"gid\":0}}}}");
                await tasks.ExecAsync(new ExecProcessRequest
                {
                    Id = id,
                    ExecId = "e",
                    Spec = new Any { TypeUrl = "types.containerd.io/opencontainers/runtime-spec/1/Process", Value = process },
                });
            }

            async Task<uint> WaitAsync() =>
                (await tasks.WaitAsync(
                    new WaitRequest { Id = id, ExecId = "e" }, deadline: DateTime.UtcNow + RuntimeFixture.Limit)).ExitStatus;

            async Task<DeleteResponse> DeleteAsync() => await tasks.DeleteAsync(new DeleteRequest { Id = id, ExecId = "e" });
        }

        await _shim.AssertCleanAsync();
    }
}
