using Grpc.Core;
using Kata.Integration.Tests.Harness;

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

    /// <summary>Whatever dies, the pod is told to be over, and removing it leaves nothing.</summary>
    [Theory]
    [InlineData("qemu")]
    [InlineData("virtiofsd")]
    [InlineData("kata-runtime service")]
    public async Task Pod_WhoseComponentIsKilled_EndsAndLeavesNothing(string component)
    {
        CriPod pod = await RunAsync();
        string id = await pod.RunContainerAsync("main", ["sleep", "100000"]);

        HostProcess.Signal(_cri.Snapshot().Processes.First(process => process.Command.StartsWith(component, StringComparison.Ordinal)).Pid, Killed);

        Assert.NotEqual(0, (await pod.EndedAsync(id)).ExitCode);
        await StateBecomesAsync(pod, PodSandboxState.SandboxNotready);
        await pod.EndAsync();
    }

    [Theory]
    [InlineData("io.katacontainers.config.hypervisor.default_vcpus", "many")]
    [InlineData("io.kubernetes.cri.container-type", "nonsense")]
    public async Task Pod_ThatCannotBePlanned_IsRefusedAndLeavesNothing(string annotation, string value)
    {
        RpcException error = await Assert.ThrowsAsync<RpcException>(() => RunAsync(config => config.Annotations.Add(annotation, value)));

        Assert.Contains(annotation, error.Status.Detail, StringComparison.Ordinal);
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
