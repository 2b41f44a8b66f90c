using System.Runtime.InteropServices;
using Grpc.Core;
using Kata.Containerd.Protocol.SandboxV1;
using Kata.Containerd.Protocol.Types;
using Kata.Integration.Tests.Harness;
using Kata.Linux;
using Kata.TtRpc;
using SandboxClient = Kata.Containerd.Protocol.SandboxV1.Sandbox.SandboxClient;

namespace Kata.Integration.Tests.Cri;

/// <summary>Pods of containerd's Sandbox service where they differ from those with a pause container, and where they go wrong.</summary>
[Collection(ContainersGroup.Name)]
public sealed class CriSandboxTests : IClassFixture<Cri2Tests.Fixture>
{
    private const int Killed = 9;

    private readonly Cri2Tests.Fixture _cri;

    public CriSandboxTests(Cri2Tests.Fixture cri)
    {
        CriFixture.RequireCri();
        Assert.SkipWhen(cri.Missing is not null, cri.Missing ?? "");
        _cri = cri;
    }

    [Fact]
    public async Task Pod_WithOnePidNamespace_ShowsProcessesToAll()
    {
        CriPod pod = await RunAsync(static config => config.Linux.SecurityContext.NamespaceOptions.Pid = NamespaceMode.Pod);
        string one = await pod.RunContainerAsync("one", ["sleep", "111111"]);
        string two = await pod.RunContainerAsync("two", ["sh", "-c", "sleep 0.1 & exec sleep 222222"]);

        string[] seen = (await pod.ShellAsync(two, "ps -o args")).Split('\n');
        Assert.Contains("sleep 111111", seen);
        Assert.Contains("sleep 222222", seen);
        await pod.StopContainerAsync(one, 0);
        Assert.DoesNotContain("sleep 111111", (await pod.ShellAsync(two, "ps -o args")).Split('\n'));
        await pod.EndAsync();
    }

    [Fact]
    public async Task Pod_WithoutContainers_LivesUntilItIsStopped()
    {
        CriPod pod = await RunAsync();
        ContainerStatus only = await pod.RunToEndAsync("only", ["true"]);
        await pod.RemoveContainerAsync(only.Id);

        PodSandboxStatusResponse status = await _cri.Client.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = pod.Id });
        Assert.Equal(PodSandboxState.SandboxReady, status.Status.State);
        Assert.Equal(0, (await pod.RunToEndAsync("second", ["true"])).ExitCode);
        await _cri.Client.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = pod.Id });
        await StateBecomesAsync(pod, PodSandboxState.SandboxNotready);
        await pod.EndAsync();
    }

    [Fact]
    public async Task Pod_OfAHandlerWithAConfiguration_IsMadeByIt()
    {
        CriPod pod = await CriPod.RunAsync(_cri, Cri2Tests.Fixture.Configured);

        Assert.Contains(
            Cri2Tests.Fixture.Mark,
            _cri.Snapshot().Processes.Single(static process => process.Command.StartsWith("qemu", StringComparison.Ordinal)).Command,
            StringComparison.Ordinal);
        await pod.EndAsync();
    }

    /// <summary>What the CRI service does not ask for.</summary>
    [Fact]
    public async Task Service_AskedDirectly_AnswersAndRefuses()
    {
        CriPod pod = await RunAsync();
        await using var connection =
            new TtRpcClient(new DescriptorStream(UnixSocket.Connect(Path.Combine(_cri.Root, pod.Id, "task.sock"))));
        var service = new SandboxClient(connection.CallInvoker);

        await service.PingSandboxAsync(new PingRequest { SandboxId = pod.Id });
        Platform platform = (await service.PlatformAsync(new PlatformRequest { SandboxId = pod.Id })).Platform;
        Assert.Equal(
            ("linux", RuntimeInformation.OSArchitecture == Architecture.X64 ? "amd64" : "arm64"), (platform.Os, platform.Architecture));
        SandboxStatusResponse status = await service.SandboxStatusAsync(new SandboxStatusRequest { SandboxId = pod.Id, Verbose = true });
        Assert.Equal(_cri.ServicePid(pod.Id), (int)status.Pid);
        Assert.True(Directory.Exists($"/proc/{status.Info["hypervisorPid"]}"));
        Metric metric = (await service.SandboxMetricsAsync(new SandboxMetricsRequest { SandboxId = pod.Id })).Metrics;
        Assert.StartsWith("io.containerd.cgroups.v", metric.Data.TypeUrl, StringComparison.Ordinal);
        Assert.NotEmpty(metric.Data.Value);

        await RefusedAsync(StatusCode.NotFound, service.PingSandboxAsync(new PingRequest { SandboxId = "other" }));
        await RefusedAsync(StatusCode.AlreadyExists, service.CreateSandboxAsync(new CreateSandboxRequest { SandboxId = pod.Id }));
        await RefusedAsync(StatusCode.FailedPrecondition, service.StartSandboxAsync(new StartSandboxRequest { SandboxId = pod.Id }));
        await service.StopSandboxAsync(new StopSandboxRequest { SandboxId = pod.Id });
        await service.StopSandboxAsync(new StopSandboxRequest { SandboxId = pod.Id });
        await RefusedAsync(StatusCode.FailedPrecondition, service.PingSandboxAsync(new PingRequest { SandboxId = pod.Id }));
        Assert.Equal(0u, (await service.WaitSandboxAsync(new WaitSandboxRequest { SandboxId = pod.Id })).ExitStatus);
        await connection.DisposeAsync();
        await pod.EndAsync();

        static async Task RefusedAsync<T>(StatusCode expected, AsyncUnaryCall<T> call) =>
            Assert.Equal(expected, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync)).StatusCode);
    }

    /// <summary>Whatever dies, the pod is told to be over, and removing it leaves nothing.</summary>
    [Theory]
    [InlineData("qemu")]
    [InlineData("virtiofsd")]
    [InlineData("kata-runtime service")]
    public async Task Pod_WhoseComponentIsKilled_EndsAndLeavesNothing(string component)
    {
        CriPod pod = await RunAsync();
        string id = await pod.RunContainerAsync("main", ["sleep", "100000"]);

        HostProcess.Signal(
            _cri.Snapshot().Processes.First(process => process.Command.StartsWith(component, StringComparison.Ordinal)).Pid, Killed);

        Assert.NotEqual(0, (await pod.EndedAsync(id)).ExitCode);
        await StateBecomesAsync(pod, PodSandboxState.SandboxNotready);
        await pod.EndAsync();
    }

    /// <summary>The worst moment: containerd waits for StartSandbox, the machine boots, and nobody has said yet that it is there.</summary>
    [Fact]
    public async Task Pod_WhoseServiceIsKilledDuringTheBoot_IsNoPodAndLeavesNothing()
    {
        Task<CriPod> run = RunAsync();
        using (var limit = new CancellationTokenSource(RuntimeFixture.Limit))
        {
            while (_cri.Snapshot().Machines == 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), limit.Token);
            }
        }

        HostProcess.Signal(_cri.Snapshot().Processes.First(static process => process.Command.StartsWith(
            "kata-runtime service", StringComparison.Ordinal)).Pid, Killed);

        await Assert.ThrowsAsync<RpcException>(() => run);
        await _cri.AssertCleanAsync();
        await (await RunAsync()).EndAsync(); // and the next one is as if nothing had been
    }

    [Fact]
    public async Task Pod_ThatCannotBePlanned_IsRefusedAndLeavesNothing()
    {
        const string Annotation = "io.katacontainers.config.hypervisor.default_vcpus";
        RpcException error =
            await Assert.ThrowsAsync<RpcException>(() => RunAsync(static config => config.Annotations.Add(Annotation, "many")));
        Assert.Contains($"{Annotation} is not enabled", error.Status.Detail, StringComparison.Ordinal);

        error = await Assert.ThrowsAsync<RpcException>(() => RunAsync(static config => config.Linux.CgroupParent = "/../elsewhere"));
        Assert.Contains("leads elsewhere", error.Status.Detail, StringComparison.Ordinal);
        await _cri.AssertCleanAsync();
    }

    private Task<CriPod> RunAsync(Action<PodSandboxConfig>? edit = null) => CriPod.RunAsync(_cri, CriFixture.KataSandbox, edit);

    private async Task StateBecomesAsync(CriPod pod, PodSandboxState expected)
    {
        using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
        while ((await _cri.Client.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = pod.Id })).Status.State != expected)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
        }
    }
}
