using System.Text.Json.Nodes;
using Grpc.Core;
using Kata.Containerd.Protocol.TaskV2;
using Kata.Integration.Tests.Containerd;
using Kata.Integration.Tests.Harness;
using Kata.Linux;
using Kata.TtRpc;
using Mount = Kata.Containerd.Protocol.Types.Mount;
using Task = System.Threading.Tasks.Task;
using TaskClient = Kata.Containerd.Protocol.TaskV2.Task.TaskClient;

namespace Kata.Integration.Tests.Storages;

/// <summary>
/// Root file systems that are disks, as containerd's snapshotters "blockfile" and "devmapper" hand them over: an image with the option
/// "loop", and a block device.
/// </summary>
[Collection(ContainersGroup.Name)]
public sealed class BlockRootTests : IClassFixture<ShimPodFixture>
{
    // Where the file system is, as the guest says it.
    private const string TypeOfRoot = "grep ' / ' /proc/mounts | tail -n 1 | cut -d ' ' -f 1,3";

    private readonly ShimPodFixture _pod;

    public BlockRootTests(ShimPodFixture pod)
    {
        RuntimeFixture.Require();
        _pod = pod;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Create_Disk_IsTheRootAndHasWhatWasWrittenAfterwards(bool device)
    {
        await using Disk disk = await Disk.CreateAsync(_pod, device);
        TestBundle bundle = _pod.NewMountBundle().Shell(
            $"{TypeOfRoot}; stat -c '%u:%g %a' /etc/owned /tmp; echo written > /root/file; mkdir -m 1770 /root/made; echo done; "
                + "sleep 100000");

        string id = await _pod.StartAsync(bundle, disk.Root("noatime"));
        string seen = await _pod.ExecAsync(
            id, "until test -d /root/made; do :; done; cat /root/file; grep -c 'vd. / .*noatime' /proc/mounts");
        Assert.Equal("written\n1", seen);
        await _pod.RemoveAsync(id);

        Assert.Matches("^/dev/vd. ext4\n1000:50 4751\n0:0 1777\ndone$", ShimPodFixture.ReadOutput(bundle));
        await disk.AssertCleanAsync();
        Assert.Equal("written", await HostDisk.ReadAsync(disk.Image, "/root/file"));
        string made = await HostDisk.RunAsync("/sbin/debugfs", "-R", "stat /root/made", disk.Image);
        Assert.Contains("Mode:  01770", made, StringComparison.Ordinal);
        // The device is free, and what was written is there for the next.
        Assert.Equal((0u, "written"), await _pod.RunAsync(_pod.NewMountBundle().Args("cat", "/root/file"), disk.Root()));
    }

    [Fact]
    public async Task Create_ReadOnlyMount_CannotBeWrittenWhateverTheGuestDoes()
    {
        await using Disk disk = await Disk.CreateAsync(_pod, device: false);
        byte[] before = await File.ReadAllBytesAsync(disk.Image, TestContext.Current.CancellationToken);
        string other = await _pod.StartAsync(_pod.NewMountBundle().Args("sleep", "100000"), disk.Root("ro")); // readers may be many

        (uint status, string output) = await _pod.RunAsync(_pod.NewMountBundle().Shell("echo x > /root/file"), disk.Root("ro"));

        Assert.NotEqual(0u, status);
        Assert.Contains("Read-only file system", output, StringComparison.Ordinal);
        await _pod.RemoveAsync(other);
        Assert.Equal(before, await File.ReadAllBytesAsync(disk.Image, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Create_ReadOnlyDevice_IsMountedReadOnlyWithoutBeingAsked()
    {
        await using Disk disk = await Disk.CreateAsync(_pod, device: true, "--read-only");
        (uint status, string output) = await _pod.RunAsync(_pod.NewMountBundle().Shell("cat /etc/group; echo x > /root/file"), disk.Root());
        Assert.NotEqual(0u, status);
        Assert.Contains("staff:x:50:web", output, StringComparison.Ordinal);
        Assert.Contains("Read-only file system", output, StringComparison.Ordinal);
    }

    /// <summary>As runc: what is missing is made, and then the root becomes read-only.</summary>
    [Fact]
    public async Task Create_ReadOnlyContainerOnAWritableDisk_HasItsMountPointsAndNodes()
    {
        await using Disk disk = await Disk.CreateAsync(_pod, device: false);
        string volume = _pod.NewDirectory("volume");
        await File.WriteAllTextAsync(Path.Combine(volume, "file"), "volume", TestContext.Current.CancellationToken);
        TestBundle bundle = _pod.NewMountBundle()
            .Shell("exec 2>&1; pwd; cat /not/there/file; cat /single; echo x > /dev/null && echo node; echo x > /root/file")
            .Mount("/not/there", "bind", volume, "rbind")
            .Mount("/single", "bind", Path.Combine(volume, "file"), "bind", "ro")
            .Edit(WithoutDeviceMounts)
            .Edit(static bundle =>
            {
                bundle.Config["root"]!["readonly"] = true;
                bundle.Process["cwd"] = "/no/such/place";
            });

        (uint status, string output) = await _pod.RunAsync(bundle, disk.Root());

        Assert.Equal(1u, status);
        Assert.StartsWith("/no/such/place\nvolumevolumenode\n", output, StringComparison.Ordinal);
        Assert.Contains("Read-only file system", output, StringComparison.Ordinal);
        await disk.AssertCleanAsync();
    }

    /// <summary>As runc: the directory of the nodes is made, too.</summary>
    [Fact]
    public async Task Create_ImageWithNothingToMountOn_HasAllThatIsMounted()
    {
        await using Disk disk = await Disk.CreateAsync(_pod, device: false);
        await HostDisk.RunAsync("/sbin/debugfs", "-w", "-R", "rmdir /dev", disk.Image);
        await HostDisk.RunAsync("/sbin/debugfs", "-w", "-R", "rmdir /proc", disk.Image);
        TestBundle bundle = _pod.NewMountBundle()
            .Shell("echo x > /dev/null && test -d /proc/self && echo node").Edit(WithoutDeviceMounts);

        Assert.Equal((0u, "node"), await _pod.RunAsync(bundle, disk.Root()));
    }

    /// <summary>Nobody waits for the guest of a machine that is dead, and its disks are free.</summary>
    [Fact]
    public async Task Delete_AfterTheMachineDied_LeavesTheDiskFree()
    {
        await using Disk disk = await Disk.CreateAsync(_pod, device: true);
        string id = _pod.NewId(), bundle = _pod.NewMountBundle().Args("sleep", "100000").Write();
        await using (TtRpcClient connection = await _pod.ConnectAsync(bundle, id))
        {
            var tasks = new TaskClient(connection.CallInvoker);
            await tasks.CreateAsync(ShimPodFixture.RequestOf(id, bundle, disk.Root()));
            await tasks.StartAsync(new StartRequest { Id = id });
            HostProcess.Signal(MachinesOf(id).Single(), Signals.SIGKILL);
            Assert.Equal(
                255u, (await tasks.WaitAsync(new WaitRequest { Id = id }, deadline: DateTime.UtcNow + RuntimeFixture.Limit)).ExitStatus);
            await tasks.DeleteAsync(new DeleteRequest { Id = id });
            await tasks.ShutdownAsync(new ShutdownRequest { Id = id });
        }

        Assert.Equal((0u, "free"), await _pod.RunAsync(_pod.NewMountBundle().Args("echo", "free"), disk.Root()));
    }

    [Fact]
    public async Task Create_VolumeBehindALinkOfTheImage_IsWhereTheContainerSeesIt()
    {
        await using Disk disk = await Disk.CreateAsync(_pod, device: false);
        string volume = _pod.NewDirectory("volume");
        await File.WriteAllTextAsync(Path.Combine(volume, "file"), "volume", TestContext.Current.CancellationToken);
        TestBundle bundle = _pod.NewMountBundle()
            .Shell("cat /mnt/file; echo back > /link/made").Mount("/link", "bind", volume, "rbind");

        Assert.Equal((0u, "volume"), await _pod.RunAsync(bundle, disk.Root()));
        Assert.Equal("back\n", await File.ReadAllTextAsync(Path.Combine(volume, "made"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Create_TwoInOnePod_HaveTheirOwn()
    {
        await using Disk one = await Disk.CreateAsync(_pod, device: false), two = await Disk.CreateAsync(_pod, device: true);
        string first = await _pod.StartAsync(_pod.NewMountBundle().Args("sleep", "100000"), one.Root());
        string second = await _pod.StartAsync(_pod.NewMountBundle().Args("sleep", "100000"), two.Root());
        await _pod.ExecAsync(first, "echo one > /root/file");
        Assert.Equal("gone", await _pod.ExecAsync(second, "test -e /root/file || echo gone; echo two > /root/file"));

        await _pod.RemoveAsync(first);
        Assert.Equal("two", await _pod.ExecAsync(second, "cat /root/file"));
        await _pod.RemoveAsync(second);

        await one.AssertCleanAsync();
        await two.AssertCleanAsync();
        Assert.Equal("one", await HostDisk.ReadAsync(one.Image, "/root/file"));
        Assert.Equal("two", await HostDisk.ReadAsync(two.Image, "/root/file"));
    }

    [Theory]
    [InlineData(false, "its image is in use by this machine or another one")]
    [InlineData(true, "the host or another machine uses it")]
    public async Task Create_DiskThatIsInUse_IsRefusedAndNothingIsLeft(bool device, string error)
    {
        await using Disk disk = await Disk.CreateAsync(_pod, device);
        string id = await _pod.StartAsync(_pod.NewMountBundle().Args("sleep", "100000"), disk.Root());

        await RefusedAsync(error, disk.Root());
        Assert.Equal("alive", await _pod.ExecAsync(id, "echo alive"));
        await _pod.RemoveAsync(id);

        Assert.Equal((0u, "next"), await _pod.RunAsync(_pod.NewMountBundle().Args("echo", "next"), disk.Root()));
        await disk.AssertCleanAsync();
    }

    [Fact]
    public async Task Create_WrongRoot_IsRefusedAndNothingIsLeft()
    {
        await using Disk disk = await Disk.CreateAsync(_pod, device: false);
        string directory = _pod.NewDirectory("disks"), missing = Path.Combine(directory, "missing");
        await RefusedAsync($"'{missing}' does not exist on the host", ShimPodFixture.RootMount("ext4", missing, "loop"));
        await RefusedAsync($"'{directory}' is neither a block device nor an image", ShimPodFixture.RootMount("ext4", directory, "loop"));
        await RefusedAsync("is a regular file", ShimPodFixture.RootMount("ext4", disk.Image));
        await RefusedAsync(
            "as 'xfs': the kernel finds no such file system there", ShimPodFixture.RootMount("xfs", disk.Image, "loop"));
        await RefusedAsync("or does not know the options 'nonsense'", disk.Root("nonsense"));

        // A container whose program is missing is unmade by the guest, and then its root.
        string id = _pod.NewId(), bundle = _pod.NewMountBundle().Args("/no/such/program").InPod(_pod.PodId).Write();
        (await _pod.ShimAsync(bundle, id, [])).Ok();
        await Assert.ThrowsAsync<RpcException>(
            () => _pod.Tasks.CreateAsync(ShimPodFixture.RequestOf(id, bundle, disk.Root())).ResponseAsync);

        await disk.AssertCleanAsync();
        Assert.Equal((0u, "after"), await _pod.RunAsync(_pod.NewMountBundle().Args("echo", "after"), disk.Root()));
    }

    [Theory]
    [InlineData("disable_block_device_use = true", true)]
    [InlineData("disable_block_device_use = true", false)]
    [InlineData("machine_type = \"microvm\"", false)]
    public async Task Create_NoDisksForTheMachine_IsMountedOnTheHostAndShared(string key, bool device)
    {
        await using Disk disk = await Disk.CreateAsync(_pod, device);
        string configuration = await File.ReadAllTextAsync(_pod.ConfigurationFile, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            _pod.ConfigurationFile,
            configuration.Replace("[hypervisor.qemu]\n", $"[hypervisor.qemu]\n{key}\n", StringComparison.Ordinal),
            TestContext.Current.CancellationToken);
        try
        {
            TestBundle bundle = _pod.NewMountBundle().Shell($"{TypeOfRoot} | cut -d ' ' -f 2; echo shared > /root/file");
            string id = _pod.NewId(), directory = bundle.Write();
            await using TtRpcClient connection = await _pod.ConnectAsync(directory, id);
            var tasks = new TaskClient(connection.CallInvoker);
            await tasks.CreateAsync(ShimPodFixture.RequestOf(id, directory, disk.Root()));
            await tasks.StartAsync(new StartRequest { Id = id });
            await tasks.WaitAsync(new WaitRequest { Id = id }, deadline: DateTime.UtcNow + RuntimeFixture.Limit);
            await tasks.DeleteAsync(new DeleteRequest { Id = id });
            await tasks.ShutdownAsync(new ShutdownRequest { Id = id });
            Assert.Equal("virtiofs", ShimPodFixture.ReadOutput(bundle));
        }
        finally
        {
            await File.WriteAllTextAsync(_pod.ConfigurationFile, configuration, TestContext.Current.CancellationToken);
        }

        await disk.AssertCleanAsync();
        Assert.Equal("shared", await HostDisk.ReadAsync(disk.Image, "/root/file"));
    }

    /// <summary>A pod of its own, whose service dies while the disk is on its way into the machine, or in use there.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Delete_AfterTheServiceWasKilled_LeavesTheDiskFree(bool device, bool running)
    {
        await using Disk disk = await Disk.CreateAsync(_pod, device);
        string id = _pod.NewId(), bundle = _pod.NewMountBundle().Args("sleep", "100000").Write();
        await using (TtRpcClient connection = await _pod.ConnectAsync(bundle, id))
        {
            int service = _pod.ServicePid(id);
            var tasks = new TaskClient(connection.CallInvoker);
            Task<CreateTaskResponse> create = tasks.CreateAsync(ShimPodFixture.RequestOf(id, bundle, disk.Root())).ResponseAsync;
            if (running)
            {
                await create;
                await tasks.StartAsync(new StartRequest { Id = id });
            }
            else
            {
                await disk.InUseAsync(() => [service, .. MachinesOf(id)]);
            }

            HostProcess.Signal(service, Signals.SIGKILL);
            await create.ContinueWith(static _ => { }, TaskScheduler.Default);
        }

        (await _pod.ShimAsync(bundle, id, [], action: "delete")).Ok();

        Assert.DoesNotContain(_pod.Snapshot().Processes, process => process.Command.Contains(id, StringComparison.Ordinal));
        // It can be had at once, in another pod.
        Assert.Equal((0u, "free"), await _pod.RunAsync(_pod.NewMountBundle().Args("echo", "free"), disk.Root()));
        await disk.AssertCleanAsync();
    }

    private static void WithoutDeviceMounts(TestBundle bundle)
    {
        JsonArray mounts = bundle.Config["mounts"]!.AsArray();
        for (int i = mounts.Count - 1; i >= 0; i--)
        {
            if (((string)mounts[i]!["destination"]!).StartsWith("/dev", StringComparison.Ordinal))
            {
                mounts.RemoveAt(i);
            }
        }
    }

    private IEnumerable<int> MachinesOf(string id) => _pod.Snapshot().Processes
        .Where(process => process.Command.Contains($"guest=sandbox-{id},", StringComparison.Ordinal))
        .Select(static process => process.Pid);

    private async Task RefusedAsync(string error, Mount root)
    {
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => _pod.StartAsync(_pod.NewMountBundle().Args("true"), root));
        Assert.Contains(error, refused.Status.Detail, StringComparison.Ordinal);
    }

    /// <summary>An ext4 image with busybox, and perhaps a loop device of it.</summary>
    private sealed class Disk : IAsyncDisposable
    {
        private static readonly TimeSpan s_freeLimit = TimeSpan.FromSeconds(20);

        private readonly string? _device;

        private Disk(string image, string? device) => (Image, _device) = (image, device);

        public string Image { get; }

        public static async Task<Disk> CreateAsync(RuntimeFixture fixture, bool device, params string[] loopOptions)
        {
            string directory = fixture.NewDirectory("disks"), root = RootFileSystem.Create(Path.Combine(directory, "root"));
            string owned = Path.Combine(root, "etc/owned"), image = Path.Combine(directory, "root.img");
            await File.WriteAllTextAsync(owned, "", TestContext.Current.CancellationToken);
            File.CreateSymbolicLink(Path.Combine(root, "link"), "/mnt");
            await HostDisk.RunAsync("/bin/chown", "1000:50", owned);
            await HostDisk.RunAsync("/bin/chmod", "4751", owned);
            await HostDisk.RunAsync("/sbin/mkfs.ext4", "-q", "-d", root, image, "16M");
            return new Disk(
                image, device ? await HostDisk.RunAsync("/sbin/losetup", [.. loopOptions, "--find", "--show", image]) : null);
        }

        /// <summary>As a snapshotter would name it.</summary>
        public Mount Root(params string[] options) => _device is { } device
            ? ShimPodFixture.RootMount("ext4", device, options)
            : ShimPodFixture.RootMount("ext4", Image, [.. options, "loop"]);

        /// <summary>Nothing has to be repaired or replayed.</summary>
        public async Task AssertCleanAsync() => await HostDisk.RunAsync("/sbin/e2fsck", "-f", "-n", Image);

        /// <summary>Waits until one of the processes has it open, which may be there only then.</summary>
        public async Task InUseAsync(Func<IEnumerable<int>> processes)
        {
            using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
            while (!processes().Any(HasOpen))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(5), limit.Token);
            }
        }

        /// <summary>Nobody has it open any more, but perhaps, for a moment, somebody who looks at all of the host's devices.</summary>
        public async ValueTask DisposeAsync()
        {
            if (_device is not null)
            {
                await HostDisk.RunAsync("/sbin/losetup", "--detach", _device);
            }

            using var limit = new CancellationTokenSource(s_freeLimit);
            while (await HostDisk.RunAsync("/sbin/losetup", "--associated", Image) is { Length: > 0 } left)
            {
                Assert.False(limit.IsCancellationRequested, left);
                await Task.Delay(TimeSpan.FromMilliseconds(50), CancellationToken.None);
            }
        }

        private bool HasOpen(int pid)
        {
            try
            {
                return Directory.EnumerateFiles($"/proc/{pid}/fd")
                    .Any(file => new FileInfo(file).LinkTarget is { } target && (target == Image || target == _device));
            }
            catch (IOException)
            {
                return false; // it has ended
            }
        }
    }
}
