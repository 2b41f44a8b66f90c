using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Storages;

/// <summary>Disks that a running pod is given and asked for back, by <c>kata-runtime storage</c>.</summary>
[Collection(ContainersGroup.Name)]
public sealed class PodStorageTests : IClassFixture<PodFixture>
{
    private readonly PodFixture _pod;

    public PodStorageTests(PodFixture pod)
    {
        RuntimeFixture.Require();
        _pod = pod;
    }

    [Fact]
    public async Task Add_ImageWithMountPoint_IsThereForAContainerCreatedLater()
    {
        string image = await HostDisk.CreateAsync(_pod.NewDirectory("disks"));
        Assert.Equal("data", (await StorageAsync("add", "--name", "data", "-m", "/mnt/data", _pod.PodId, image)).Ok().Text);

        (await _pod.RunShellAsync(
            "mkdir /data/sub && echo kept > /data/sub/file", bundle => bundle.Mount("/data", "bind", "/mnt/data", "bind"))).Ok();
        string reader = await _pod.StartSleeperAsync(
            bundle => bundle.InPod(_pod.PodId).Mount("/sub", "bind", "/mnt/data/sub", "bind", "ro"));
        Assert.Equal("kept", (await _pod.ExecShellAsync(reader, "cat /sub/file")).Ok().Text);

        CommandResult refused = await StorageAsync("remove", _pod.PodId, "data");
        AssertRefused(refused, reader); // who uses it
        Assert.Equal("kept", (await _pod.ExecShellAsync(reader, "cat /sub/file")).Ok().Text);
        Assert.Equal("/mnt/data", (await ListAsync()).Single()!["mountPoint"]!.ToString());

        (await _pod.RunAsync("delete", "--force", reader)).Ok();
        (await StorageAsync("remove", _pod.PodId, "data")).Ok();
        Assert.Empty(await ListAsync());
        Assert.Equal("kept", await HostDisk.ReadAsync(image, "/sub/file"));
    }

    [Fact]
    public async Task Add_ReadOnly_CannotBeWrittenWhateverTheGuestDoes()
    {
        string image = await HostDisk.CreateAsync(_pod.NewDirectory("disks"));
        byte[] before = await File.ReadAllBytesAsync(image, TestContext.Current.CancellationToken);
        (await StorageAsync("add", "--name", "ro", "--read-only", "-m", "/mnt/ro", _pod.PodId, image)).Ok();

        CommandResult result = await _pod.RunShellAsync(
            "ls /data && echo x > /data/x", bundle => bundle.Mount("/data", "bind", "/mnt/ro", "bind"));

        Assert.Contains("Read-only file system", result.Error, StringComparison.Ordinal);
        (await StorageAsync("remove", _pod.PodId, "ro")).Ok();
        Assert.Equal(before, await File.ReadAllBytesAsync(image, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Add_BlockDeviceOfTheHost_IsADiskOfTheGuest()
    {
        string image = await HostDisk.CreateAsync(_pod.NewDirectory("disks"));
        string device = await HostDisk.RunAsync("/sbin/losetup", "--find", "--show", image);
        try
        {
            (await StorageAsync("add", "--name", "loop", "-m", "/mnt/loop", _pod.PodId, device)).Ok();
            (await _pod.RunShellAsync("echo block > /data/file", bundle => bundle.Mount("/data", "bind", "/mnt/loop", "bind"))).Ok();
            (await StorageAsync("remove", _pod.PodId, "loop")).Ok();

            Assert.Equal("block", await HostDisk.ReadAsync(image, "/file"));
        }
        finally
        {
            await HostDisk.RunAsync("/sbin/losetup", "--detach", device);
        }
    }

    [Fact]
    public async Task Add_BlockDeviceThatTheHostHasMounted_IsRefused()
    {
        string directory = _pod.NewDirectory("disks");
        string image = await HostDisk.CreateAsync(directory);
        string place = Directory.CreateDirectory(Path.Combine(directory, "mounted")).FullName;
        string device = await HostDisk.RunAsync("/sbin/losetup", "--find", "--show", image);
        await HostDisk.RunAsync("/bin/mount", device, place);
        try
        {
            AssertRefused(
                await StorageAsync("add", _pod.PodId, device),
                $"Cannot open the disk '{device}': the host or another machine uses it. "
                    + "Unmount or remove it there, or ask for it read-only");
        }
        finally
        {
            await HostDisk.RunAsync("/bin/umount", place);
            await HostDisk.RunAsync("/sbin/losetup", "--detach", device);
        }
    }

    [Fact]
    public async Task Add_WithoutMountPoint_IsLeftAsADevice()
    {
        string image = await HostDisk.CreateAsync(_pod.NewDirectory("disks"), format: false);
        string name = (await StorageAsync("add", _pod.PodId, image)).Ok().Text;

        JsonNode storage = (await ListAsync()).Single()!;
        Assert.Equal((name, image, ""), (storage["name"]!.ToString(), storage["source"]!.ToString(), storage["mountPoint"]!.ToString()));
        Assert.Matches("^/dev/vd[a-z]$", storage["device"]!.ToString());
        string table = (await StorageAsync("list", _pod.PodId)).Ok().Text;
        Assert.Matches($@"{name}\s+{image}\s+rw\s+-\s+-\s+/dev/vd[a-z]", table);

        (await StorageAsync("rm", _pod.PodId, name)).Ok();
    }

    /// <summary>
    /// Two callers, five disks each, again and again, while a container keeps the guest busy. Nothing of any is left in the monitor.
    /// </summary>
    [Fact]
    public async Task Add_TenDisksByTwoCallersUnderLoad_ComeAndGo()
    {
        string[] images = await Task.WhenAll(Enumerable.Range(0, 10).Select(
            index => HostDisk.CreateAsync(_pod.NewDirectory("disks"), mebibytes: 4)));
        string load = await _pod.StartSleeperAsync(bundle => bundle.InPod(_pod.PodId).Shell("while :; do :; done"));
        int monitor = _pod.Snapshot().Processes.First(static process => process.Command.StartsWith("qemu", StringComparison.Ordinal)).Pid;
        int before = Directory.GetFiles($"/proc/{monitor}/fd").Length;
        for (int round = 0; round < 2; round++)
        {
            await Task.WhenAll(AddAsync(0), AddAsync(5));
            Assert.Equal(10, (await ListAsync()).Count);
            await Task.WhenAll(RemoveAsync(0), RemoveAsync(5));
            Assert.Empty(await ListAsync());
        }

        Assert.Equal(before, Directory.GetFiles($"/proc/{monitor}/fd").Length);
        (await _pod.RunAsync("delete", "--force", load)).Ok();

        async Task AddAsync(int first)
        {
            for (int i = first; i < first + 5; i++)
            {
                (await StorageAsync("add", "--name", $"d{i}", "-m", $"/mnt/d{i}", _pod.PodId, images[i])).Ok();
            }
        }

        async Task RemoveAsync(int first)
        {
            for (int i = first; i < first + 5; i++)
            {
                (await StorageAsync("remove", _pod.PodId, $"d{i}")).Ok();
            }
        }
    }

    [Fact]
    public async Task Add_ImageThatIsInUse_IsRefusedInThisPodAndInAnother()
    {
        string image = await HostDisk.CreateAsync(_pod.NewDirectory("disks"));
        (await StorageAsync("add", "--name", "one", _pod.PodId, image)).Ok();
        string other = await _pod.StartSleeperAsync();

        foreach (string pod in (string[])[_pod.PodId, other])
        {
            CommandResult refused = await StorageAsync("add", "--name", "two", pod, image);
            AssertRefused(refused, "its image is in use by this machine or another one");
        }

        (await StorageAsync("remove", _pod.PodId, "one")).Ok();
        (await StorageAsync("add", "--name", "two", "--read-only", _pod.PodId, image)).Ok();
        (await StorageAsync("add", "--name", "two", "--read-only", other, image)).Ok(); // readers may be many
        (await StorageAsync("remove", _pod.PodId, "two")).Ok();
        (await _pod.RunAsync("delete", "--force", other)).Ok();
    }

    [Fact]
    public async Task Remove_DiskWhoseFileHasDisappeared_StillGoes()
    {
        string image = await HostDisk.CreateAsync(_pod.NewDirectory("disks"));
        (await StorageAsync("add", "--name", "gone", "-m", "/mnt/gone", _pod.PodId, image)).Ok();
        File.Delete(image);

        (await _pod.RunShellAsync("echo x > /data/x && sync", bundle => bundle.Mount("/data", "bind", "/mnt/gone", "bind"))).Ok();
        (await StorageAsync("remove", _pod.PodId, "gone")).Ok();
        AssertRefused(
            await StorageAsync("add", _pod.PodId, image),
            $"Cannot open the disk '{image}': it does not exist. Create it, or correct the path");
        Assert.Empty(await ListAsync());
    }

    [Fact]
    public async Task Add_WrongInput_IsRefusedAndNothingIsLeft()
    {
        string directory = _pod.NewDirectory("disks");
        string image = await HostDisk.CreateAsync(directory), raw = await HostDisk.CreateAsync(directory, "raw.img", format: false);
        string empty = await HostDisk.CreateAsync(directory, "empty.img", format: false, mebibytes: 0);
        (string[] Arguments, string Error)[] cases =
        [
            ([directory], "is neither a regular file nor a block device"),
            ([empty], "it is empty. Give it a size"),
            (["-m", "/mnt/x", raw], "no file system that is known by its first bytes"),
            (["-m", "/proc", image], "Cannot mount a block device on '/proc'"),
            (["-m", "/run/kata-containers/shared/containers/x", image], "Cannot mount a block device on"),
            (["-m", "mnt", image], "/mount_point: 'mnt' is not an absolute path"),
            (["-m", "/mnt/../x", image], "/mount_point: '/mnt/../x' is not an absolute path"),
            (["-m", "/mnt/x", "-t", "xfs", image], "the kernel finds no such file system there"),
            (["-t", "ext4", image], "a file system or options are given, and no mount point"),
            (["--name", "../x", image], "/name: '../x' is no name for a storage"),
        ];
        foreach ((string[] arguments, string error) in cases)
        {
            CommandResult refused = await StorageAsync(["add", .. arguments[..^1], _pod.PodId, arguments[^1]]);
            AssertRefused(refused, error);
        }

        AssertRefused(await StorageAsync("remove", _pod.PodId, "nobody"), "the pod has none of this name");
        AssertRefused(await StorageAsync("list", "nobody"), "does not exist");
        Assert.Empty(await ListAsync());
        (await StorageAsync("add", "--name", "after", "-m", "/mnt/x", _pod.PodId, image)).Ok(); // nothing of the others holds the place
        (await StorageAsync("remove", _pod.PodId, "after")).Ok();
    }

    /// <summary>What was written is on the disk when the pod is gone, also when nobody removed the storage.</summary>
    [Fact]
    public async Task Delete_PodWithADisk_WritesWhatTheGuestHasInMemory()
    {
        string image = await HostDisk.CreateAsync(_pod.NewDirectory("disks"));
        string pod = await _pod.StartSleeperAsync(static bundle => bundle.AsPod());
        (await StorageAsync("add", "-m", "/mnt/data", pod, image)).Ok();
        TestBundle bundle = _pod.NewBundle().InPod(pod).Shell("echo kept > /data/file").Mount("/data", "bind", "/mnt/data", "bind");
        string id = _pod.NewId();
        (await _pod.RunAsync("run", "--bundle", bundle.Write(), id)).Ok();

        (await _pod.RunAsync("delete", "--force", pod)).Ok();

        Assert.Equal("kept", await HostDisk.ReadAsync(image, "/file"));
    }

    private Task<CommandResult> StorageAsync(params string[] arguments) => _pod.RunAsync(["storage", .. arguments]);

    private async Task<JsonArray> ListAsync() =>
        JsonNode.Parse((await StorageAsync("list", "--format", "json", _pod.PodId)).Ok().Text)!.AsArray();

    private static void AssertRefused(CommandResult result, string error)
    {
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(error, result.Error, StringComparison.Ordinal);
    }
}
