using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary>Several containers in one virtual machine.</summary>
[Collection(ContainersGroup.Name)]
public sealed class PodTests : IClassFixture<PodFixture>
{
    private const string BootId = "/proc/sys/kernel/random/boot_id";

    private readonly PodFixture _pod;

    public PodTests(PodFixture pod)
    {
        RuntimeFixture.Require();
        _pod = pod;
    }

    [Fact]
    public async Task Containers_OfOnePod_ShareOneKernel()
    {
        string first = (await _pod.ExecAsync(_pod.PodId, "cat", BootId)).Ok().Text;
        string second = (await _pod.RunContainerAsync(_pod.NewPodBundle().Args("cat", BootId))).Ok().Text;

        Assert.Equal(first, second);
        Assert.Equal(1, _pod.Snapshot().Machines);
    }

    [Fact]
    public async Task Kernel_OfThePod_IsNotTheHosts()
    {
        Assert.NotEqual(
            (await File.ReadAllTextAsync(BootId, TestContext.Current.CancellationToken)).Trim(),
            (await _pod.ExecAsync(_pod.PodId, "cat", BootId)).Ok().Text);
        Assert.NotEqual(
            (await File.ReadAllTextAsync("/proc/sys/kernel/osrelease", TestContext.Current.CancellationToken)).Trim(),
            (await _pod.ExecAsync(_pod.PodId, "uname", "-r")).Ok().Text);
    }

    [Fact]
    public async Task Machine_OfThePod_HasTheConfiguredMemoryAndProcessors()
    {
        string[] lines =
            (await _pod.ExecShellAsync(_pod.PodId, "nproc; sed -n 's/MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")).Ok().Lines;

        Assert.Equal("1", lines[0]);
        // default_memory is 256.
        Assert.InRange(int.Parse(lines[1], System.Globalization.CultureInfo.InvariantCulture), 180 * 1024, 256 * 1024);
    }

    [Fact]
    public async Task Containers_OfOnePod_HaveProcessesAndNamesOfTheirOwn()
    {
        CommandResult result = await _pod.RunShellAsync(
            "echo $$; ls -d /proc/[0-9]* | wc -l; hostname", static bundle => bundle.Config["hostname"] = "second");

        Assert.Equal("1", result.Ok().Lines[0]);
        // The shell, ls, wc; not the pod's others.
        Assert.InRange(int.Parse(result.Lines[1], System.Globalization.CultureInfo.InvariantCulture), 1, 3);
        Assert.Equal("second", result.Lines[2]);
    }

    [Fact]
    public async Task Containers_OfOnePod_HaveRootFileSystemsOfTheirOwn()
    {
        string root = RootFileSystem.Create(_pod.NewDirectory("rootfs"));
        (await _pod.RunShellAsync("echo mine > /tmp/only-here", bundle => bundle.RootFs(root))).Ok();

        Assert.True(File.Exists(Path.Combine(root, "tmp/only-here")));
        Assert.NotEqual(0, (await _pod.ExecAsync(_pod.PodId, "test", "-e", "/tmp/only-here")).ExitCode);
    }

    [Fact]
    public async Task Delete_OneOfTwo_LeavesThePodRunning()
    {
        string second = await _pod.StartSleeperAsync(bundle => bundle.InPod(_pod.PodId));
        (await _pod.RunAsync("delete", "--force", second)).Ok();

        (await _pod.ExecAsync(_pod.PodId, "true")).Ok();
        Assert.Equal(1, _pod.Snapshot().Machines);
    }

    [Fact]
    public async Task Delete_PodFirstContainerLast_EndsTheMachineOnlyThen()
    {
        string pod = await _pod.StartSleeperAsync(static bundle => bundle.AsPod());
        string second = await _pod.StartSleeperAsync(bundle => bundle.InPod(pod));
        Assert.Equal(2, _pod.Snapshot().Machines); // the fixture's and this one

        (await _pod.RunAsync("delete", "--force", second)).Ok();
        Assert.Equal(2, _pod.Snapshot().Machines);

        (await _pod.RunAsync("delete", "--force", pod)).Ok();
        Assert.Equal(1, _pod.Snapshot().Machines);
        Assert.DoesNotContain(_pod.Snapshot().Files, path => path.Contains($"/{pod}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Create_PodDoesNotExist_IsRefusedWithItsId()
    {
        CommandResult result = await _pod.RunAsync(
            "run", "--bundle", _pod.NewBundle().Args("true").InPod("no-such-pod").Write(), _pod.NewId());

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("'no-such-pod'", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Service_ManyContainersLater_HoldsNoMoreThanBefore()
    {
        await _pod.RunContainerAsync(_pod.NewPodBundle().Args("true")); // caches and pools are filled
        (int service, int descriptors, int mounts) before = Measure();
        for (int i = 0; i < ManyTests.Sequence; i++)
        {
            (await _pod.RunContainerAsync(_pod.NewPodBundle().Args("true"))).Ok();
            (await _pod.ExecAsync(_pod.PodId, "true")).Ok();
        }

        (int service, int descriptors, int mounts) after = Measure();

        Assert.Equal(before.service, after.service);
        Assert.InRange(after.descriptors, 0, before.descriptors + 2);
        Assert.Equal(before.mounts, after.mounts);
    }

    private (int Service, int Descriptors, int Mounts) Measure()
    {
        int service = _pod.ServicePid(_pod.PodId);
        return (service, HostProcess.OpenDescriptors(service), File.ReadAllLines($"/proc/{service}/mountinfo").Length);
    }
}
