using Grpc.Core;
using Kata.Containerd.Protocol.SandboxV1;
using Kata.Integration.Tests.Containerd;
using Kata.Integration.Tests.Harness;
using Kata.Linux;
using Kata.Sandbox.Protocol.V1;
using Kata.TtRpc;
using ContainerdSandbox = Kata.Containerd.Protocol.SandboxV1.Sandbox.SandboxClient;
using PodApi = Kata.Sandbox.Protocol.V1.Sandbox.SandboxClient;

namespace Kata.Integration.Tests.Storages;

/// <summary>
/// Disks that a pod's machine starts with: given by <c>kata.sandbox.v1</c> after containerd's CreateSandbox and before its StartSandbox.
/// On a machine that takes disks while it runs, and on one that does not.
/// </summary>
[Collection(ContainersGroup.Name)]
public sealed class ColdStorageTests : IClassFixture<DirectShimTests.Fixture>
{
    private readonly DirectShimTests.Fixture _shim;

    public ColdStorageTests(DirectShimTests.Fixture shim)
    {
        RuntimeFixture.Require();
        _shim = shim;
    }

    [Theory]
    [InlineData("q35", null)]
    [InlineData("microvm", "QEMU's machine type 'microvm' takes it only before it starts: it has no PCI bus")]
    public async Task AddStorage_BeforeTheStart_IsInTheMachine(string machine, string? refusal)
    {
        await File.WriteAllTextAsync(
            _shim.ConfigurationFile,
            $"[hypervisor.qemu]\nmachine_type = \"{machine}\"\ndefault_memory = 256\n[kata]\nboot_timeout = 240\nrequest_timeout = 120\n",
            TestContext.Current.CancellationToken);
        string image = await HostDisk.CreateAsync(_shim.NewDirectory("disks"));
        string later = await HostDisk.CreateAsync(_shim.NewDirectory("disks"));
        string id = _shim.NewId();
        string address = (await _shim.ShimAsync(_shim.NewBundle().Write(), id, [])).Ok().Text;
        await using (var connection = new TtRpcClient(new DescriptorStream(UnixSocket.Connect(address["unix://".Length..]))))
        {
            var engine = new ContainerdSandbox(connection.CallInvoker);
            var pod = new PodApi(connection.CallInvoker);
            Assert.Equal(StatusCode.FailedPrecondition, await RefusalOfAsync(pod, image)); // there is no pod yet
            await engine.CreateSandboxAsync(new CreateSandboxRequest { SandboxId = id });
            await pod.AddStorageAsync(Request("never", image));
            await pod.RemoveStorageAsync(new RemoveStorageRequest { Name = "never" });
            AddStorageResponse noted = await pod.AddStorageAsync(Request("cold", image));
            Assert.Equal(("cold", ""), (noted.Storage.Spec.Name, noted.Storage.Device));
            await engine.StartSandboxAsync(new StartSandboxRequest { SandboxId = id });

            var storage = Assert.Single((await pod.ListStoragesAsync(new ListStoragesRequest())).Storages);
            Assert.Equal(("cold", "ext4"), (storage.Spec.Name, storage.Spec.Filesystem));
            Assert.Matches("^/dev/vd[a-z]$", storage.Device);

            if (refusal is null)
            {
                await pod.AddStorageAsync(Request("hot", later));
                await pod.RemoveStorageAsync(new RemoveStorageRequest { Name = "cold" }); // goes like one that came later
                Assert.Equal("hot", Assert.Single((await pod.ListStoragesAsync(new ListStoragesRequest())).Storages).Spec.Name);
            }
            else
            {
                RpcException error = await Assert.ThrowsAsync<RpcException>(
                    () => pod.AddStorageAsync(Request("hot", later)).ResponseAsync);
                Assert.Equal(StatusCode.FailedPrecondition, error.StatusCode);
                Assert.Contains(refusal, error.Status.Detail, StringComparison.Ordinal);
                Assert.Contains("Give it to the pod before that starts", error.Status.Detail, StringComparison.Ordinal);
            }

            await engine.StopSandboxAsync(new StopSandboxRequest { SandboxId = id });
            Assert.Equal(StatusCode.FailedPrecondition, await RefusalOfAsync(pod, image)); // it does not start again
            await engine.ShutdownSandboxAsync(new ShutdownSandboxRequest { SandboxId = id });
        }

        await _shim.AssertCleanAsync();
    }

    /// <summary>What was noted is opened when the machine starts: a file that is gone by then fails the start, with its reason.</summary>
    [Fact]
    public async Task StartSandbox_StorageWhoseFileIsGone_FailsWithTheReasonAndMayBeRepeatedWithoutIt()
    {
        string image = await HostDisk.CreateAsync(_shim.NewDirectory("disks"));
        string id = _shim.NewId();
        string address = (await _shim.ShimAsync(_shim.NewBundle().Write(), id, [])).Ok().Text;
        await using (var connection = new TtRpcClient(new DescriptorStream(UnixSocket.Connect(address["unix://".Length..]))))
        {
            var engine = new ContainerdSandbox(connection.CallInvoker);
            await engine.CreateSandboxAsync(new CreateSandboxRequest { SandboxId = id });
            var pod = new PodApi(connection.CallInvoker);
            await pod.AddStorageAsync(Request("cold", image));
            File.Delete(image);

            RpcException error = await Assert.ThrowsAsync<RpcException>(
                () => engine.StartSandboxAsync(new StartSandboxRequest { SandboxId = id }).ResponseAsync);

            Assert.Contains($"Cannot open the disk '{image}': it does not exist", error.Status.Detail, StringComparison.Ordinal);
            await pod.RemoveStorageAsync(new RemoveStorageRequest { Name = "cold" });
            await engine.StartSandboxAsync(new StartSandboxRequest { SandboxId = id });
            Assert.Empty((await pod.ListStoragesAsync(new ListStoragesRequest())).Storages);
            await engine.StopSandboxAsync(new StopSandboxRequest { SandboxId = id });
            await engine.ShutdownSandboxAsync(new ShutdownSandboxRequest { SandboxId = id });
        }

        await _shim.AssertCleanAsync();
    }

    private static AddStorageRequest Request(string name, string image) =>
        new() { Spec = new StorageSpec { Name = name, Source = image, MountPoint = $"/mnt/{name}" } };

    private static async Task<StatusCode> RefusalOfAsync(PodApi pod, string image) =>
        (await Assert.ThrowsAsync<RpcException>(() => pod.AddStorageAsync(Request("early", image)).ResponseAsync)).StatusCode;
}
