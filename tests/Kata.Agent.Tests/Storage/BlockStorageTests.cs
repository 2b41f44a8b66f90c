using Grpc.Core;
using Kata.Agent.Devices;
using Kata.Agent.Storage;
using Kata.Linux;
using Kata.Testing;

namespace Kata.Agent.Tests;

public sealed class BlockStorageTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeSys _sys = new();
    private readonly AnnouncedDevices _announced = new();
    private readonly FakeBlockMounts _kernel = new();
    private readonly FakeProc _proc = new();
    private readonly BlockAttacher _attacher;
    private readonly string _path;

    public BlockStorageTests()
    {
        var finder = new BlockDeviceFinder(
            _announced.Registry, new BlockDevices(_sys.Path, static _ => true), static () => { }, TimeProvider.System);
        _attacher = new BlockAttacher(finder, new MountPoints(), _kernel, new MountHolders(_proc.Path));
        _path = _directory.File("mnt/data");
        _sys.AddDisk("vda", "pci0000:00/0000:00:02.0/virtio0", "volume"u8.ToArray());
    }

    public void Dispose()
    {
        _announced.Dispose();
        _proc.Dispose();
        _sys.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task AttachAsync_NoMountPoint_LeavesTheDevice()
    {
        IAttachedStorage storage = await AttachAsync(new Protocol.Storage { Source = "02" });
        Assert.Equal("/dev/vda", storage.Device);
        await storage.RemoveAsync().Within();
        Assert.Equal(["claim /dev/vda"], _kernel.Calls);
    }

    [Fact]
    public async Task RemoveAsync_DeviceIsClaimed_SaysWhatToDoAndCanBeAskedAgain()
    {
        IAttachedStorage storage = await AttachAsync(new Protocol.Storage { Source = "02" });
        _kernel.Claimed = true;
        RpcException refusal = await Assert.ThrowsAsync<RpcException>(storage.RemoveAsync).Within();
        Assert.Equal(StatusCode.FailedPrecondition, refusal.StatusCode);
        Assert.Contains("'/dev/vda'", refusal.Status.Detail);
        Assert.Contains("End what has files of it open", refusal.Status.Detail);
        _kernel.Claimed = false;
        await storage.RemoveAsync().Within();
    }

    [Fact]
    public async Task AttachAsync_DirectoryIsMissing_MakesItAndMounts()
    {
        IAttachedStorage storage = await AttachAsync(Mounted("ext4", "ro,noatime", "data=ordered"));
        Assert.True(Directory.Exists(_path));
        await storage.RemoveAsync().Within();
        Assert.False(Directory.Exists(_directory.File("mnt")));
        Assert.Equal(
            [
                "know ext4", $"mount /dev/vda {_path} ext4 MS_RDONLY, MS_NOATIME data=ordered", $"unmount {_path}", "claim /dev/vda",
            ],
            _kernel.Calls);
    }

    [Fact]
    public async Task AttachAsync_DirectoryIsEmpty_StaysAfterwards()
    {
        Directory.CreateDirectory(_path);
        IAttachedStorage storage = await AttachAsync(Mounted("ext4"));
        await storage.RemoveAsync().Within();
        Assert.True(Directory.Exists(_path));
    }

    [Fact]
    public async Task AttachAsync_DeviceComesLater_Waits()
    {
        var storage = new Protocol.Storage { DriverOptions = { "serial=second" }, MountPoint = _path, Fstype = "xfs" };
        Task<IAttachedStorage> attach = _attacher.AttachAsync(storage, BlockDeviceName.OfPci, CancellationToken.None);
        _sys.AddDisk("vdb", "pci0000:00/0000:00:03.0/virtio1", "second"u8.ToArray());
        _announced.Announce("block");
        Assert.Equal("/dev/vdb", (await attach.Within()).Device);
    }

    [Theory]
    [InlineData(Errno.EINVAL, "or does not know the options 'nouuid'", "Give the type that it was made with")]
    [InlineData(Errno.EUCLEAN, "finds no such file system there, or a damaged one", "Give the type that it was made with")]
    [InlineData(Errno.EACCES, "cannot be written to", "Give the option 'ro'")]
    [InlineData(Errno.EROFS, "cannot be written to", "Give the option 'ro'")]
    [InlineData(Errno.EBUSY, "has the device already", "End or remove that first")]
    internal async Task AttachAsync_KernelRefusesTheMount_SaysWhatWasTriedAndLeavesNothing(Errno errno, string cause, string remedy)
    {
        _kernel.Refusals["mount"] = errno;
        RpcException refusal = await RefusalAsync(Mounted("xfs", "nouuid"));
        Assert.StartsWith($"Cannot mount the block device '/dev/vda' on '{_path}' as 'xfs': ", refusal.Status.Detail);
        Assert.Contains(cause, refusal.Status.Detail);
        Assert.Contains($"({errno})", refusal.Status.Detail);
        Assert.Contains(remedy, refusal.Status.Detail);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory.Path));
    }

    [Fact]
    public async Task AttachAsync_JournalCannotBeReplayed_SaysHowToGoOn()
    {
        _kernel.Refusals["mount"] = Errno.EROFS;
        Assert.Contains("'noload' of ext4", (await RefusalAsync(Mounted("ext4", "ro"))).Status.Detail);
    }

    [Fact]
    public async Task AttachAsync_OtherFailure_IsTheKernelsAndLeavesNothing()
    {
        _kernel.Refusals["mount"] = Errno.EIO;
        await Assert.ThrowsAsync<LinuxException>(() => AttachAsync(Mounted("xfs"))).Within();
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory.Path));
        _kernel.Refusals.Clear();
        await AttachAsync(Mounted("xfs")); // neither the directory nor the device is taken
    }

    [Fact]
    public async Task AttachAsync_DirectoryHasSomething_DoesNotHideIt()
    {
        Directory.CreateDirectory(_path);
        File.WriteAllText($"{_path}/file", "");
        RpcException refusal = await RefusalAsync(Mounted("ext4"));
        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
        Assert.Contains("missing or empty", refusal.Status.Detail);
        Assert.True(File.Exists($"{_path}/file"));
    }

    [Fact]
    public async Task AttachAsync_LinkOnTheWay_IsNotFollowed()
    {
        Directory.CreateDirectory(_directory.File("elsewhere"));
        Directory.CreateSymbolicLink(_directory.File("mnt"), _directory.File("elsewhere"));
        RpcException refusal = await RefusalAsync(Mounted("ext4"));
        Assert.Contains("a symbolic link is on the way", refusal.Status.Detail);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory.File("elsewhere")));
    }

    [Fact]
    public async Task AttachAsync_FileOnTheWay_IsRefused()
    {
        File.WriteAllText(_directory.File("mnt"), "");
        Assert.Contains("no directory", (await RefusalAsync(Mounted("ext4"))).Status.Detail);
        File.Delete(_directory.File("mnt"));
        Directory.CreateDirectory(_directory.File("mnt"));
        File.WriteAllText(_path, "");
        Assert.Contains("no directory", (await RefusalAsync(Mounted("ext4"))).Status.Detail);
    }

    [Fact]
    public async Task AttachAsync_TwoAtOneMountPoint_SecondIsRefused()
    {
        _sys.AddDisk("vdb", "pci0000:00/0000:00:03.0/virtio1", "second"u8.ToArray());
        IAttachedStorage first = await AttachAsync(Mounted("ext4"));
        Protocol.Storage second = Mounted("ext4");
        second.Source = "03";
        RpcException refusal = await RefusalAsync(second);
        Assert.Equal(StatusCode.FailedPrecondition, refusal.StatusCode);
        Assert.Contains("another storage is there", refusal.Status.Detail);
        await first.RemoveAsync().Within();
        Assert.False(Directory.Exists(_path));
        await AttachAsync(second);
    }

    [Fact]
    public async Task AttachAsync_TwoOfOneDevice_SecondIsRefused()
    {
        IAttachedStorage first = await AttachAsync(new Protocol.Storage { Source = "02" });
        RpcException refusal = await RefusalAsync(Mounted("ext4"));
        Assert.Equal(StatusCode.FailedPrecondition, refusal.StatusCode);
        Assert.Contains("'/dev/vda': another storage has it", refusal.Status.Detail);
        await first.DetachAsync().Within();
        IAttachedStorage again = await AttachAsync(Mounted("ext4"));
        await again.RemoveAsync().Within();
        await AttachAsync(Mounted("ext4"));
    }

    [Fact]
    public async Task AttachAsync_GivenUpWhileItIsMounted_IsDetached()
    {
        using var cancellation = new CancellationTokenSource();
        _kernel.Mounting = cancellation.Cancel;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _attacher.AttachAsync(Mounted("ext4"), BlockDeviceName.OfPci, cancellation.Token)).Within();
        Assert.Equal($"detach {_path}", _kernel.Calls[^1]);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory.Path));
    }

    [Fact]
    public async Task RemoveAsync_MountIsBusy_ChangesNothing()
    {
        IAttachedStorage storage = await AttachAsync(Mounted("ext4"));
        _kernel.Refusals["unmount"] = Errno.EBUSY;
        RpcException refusal = await Assert.ThrowsAsync<RpcException>(storage.RemoveAsync).Within();
        Assert.Equal(StatusCode.FailedPrecondition, refusal.StatusCode);
        Assert.Contains("End what has files open or works there", refusal.Status.Detail);
        Assert.True(Directory.Exists(_path));
        _kernel.Refusals.Clear();
        await storage.RemoveAsync().Within();
        Assert.False(Directory.Exists(_path));
    }

    [Fact]
    public async Task RemoveAsync_ContainerHasItMounted_IsNotEvenTried()
    {
        IAttachedStorage storage = await AttachAsync(Mounted("ext4"));
        _proc.Add("self", 1, $"40 1 254:0 / {_path} rw - ext4 /dev/vda rw");
        _proc.Add("77", 2, "90 80 254:0 /sub /volume rw - ext4 /dev/vda rw", "0::/kata/web/inner");
        RpcException refusal = await Assert.ThrowsAsync<RpcException>(storage.RemoveAsync).Within();
        Assert.Equal(StatusCode.FailedPrecondition, refusal.StatusCode);
        Assert.Contains("the container 'web' has it mounted. Remove the container first", refusal.Status.Detail);
        Assert.DoesNotContain($"unmount {_path}", _kernel.Calls);
    }

    [Fact]
    public async Task RemoveAsync_FileSystemIsHeldUnseen_IsMountedAgain()
    {
        IAttachedStorage storage = await AttachAsync(Mounted("ext4", "ro"));
        string mount = _kernel.Calls[^1];
        _kernel.Claimed = true;
        RpcException refusal = await Assert.ThrowsAsync<RpcException>(storage.RemoveAsync).Within();
        Assert.Equal(StatusCode.FailedPrecondition, refusal.StatusCode);
        Assert.Equal([$"unmount {_path}", "claim /dev/vda", mount], _kernel.Calls.TakeLast(3));
        Assert.True(Directory.Exists(_path));
        _kernel.Claimed = false;
        await storage.RemoveAsync().Within();
        Assert.False(Directory.Exists(_path));
    }

    [Fact]
    public async Task RemoveAsync_CannotBeMountedAgain_SaysSoAndIsADeviceFromThen()
    {
        IAttachedStorage storage = await AttachAsync(Mounted("ext4"));
        _kernel.Claimed = true;
        _kernel.Refusals["mount"] = Errno.EIO;
        RpcException refusal = await Assert.ThrowsAsync<RpcException>(storage.RemoveAsync).Within();
        Assert.Contains($"it could not be mounted again on '{_path}'", refusal.Status.Detail);
        Assert.False(Directory.Exists(_path));
        _kernel.Claimed = false;
        await storage.RemoveAsync().Within();
        Assert.Single(_kernel.Calls, $"unmount {_path}");
    }

    [Fact]
    public async Task DetachAsync_AtItsContainersEnd_GoesWhoeverUsesIt()
    {
        IAttachedStorage storage = await AttachAsync(Mounted("ext4"));
        Assert.Null(await storage.DetachAsync().Within());
        Assert.Equal($"detach {_path}", _kernel.Calls[^1]);
        Assert.False(Directory.Exists(_path));
    }

    [Theory]
    [InlineData("serial=a", "serial=b")]
    [InlineData("size=1")]
    [InlineData("serial")]
    [InlineData("serial=")]
    public async Task AttachAsync_DriverOptionsThatSayNothing_AreRefused(params string[] options) => Assert.Equal(
        StatusCode.InvalidArgument, (await RefusalAsync(new Protocol.Storage { DriverOptions = { options } })).StatusCode);

    [Theory]
    [InlineData("", "")]
    [InlineData("../ext4", "")]
    [InlineData("ext4", "bind")]
    [InlineData("ext4", "rbind")]
    public async Task AttachAsync_MountThatIsNone_IsRefusedBeforeItWaits(string type, string option) =>
        Assert.Equal(StatusCode.InvalidArgument, (await RefusalAsync(Mounted(type, option))).StatusCode);

    [Fact]
    public async Task AttachAsync_GroupOfTheFiles_IsNotThereYet()
    {
        Protocol.Storage storage = Mounted("ext4");
        storage.FsGroup = new Protocol.FSGroup { GroupId = 7 };
        Assert.Equal(StatusCode.Unimplemented, (await RefusalAsync(storage)).StatusCode);
    }

    private Protocol.Storage Mounted(string type, params string[] options) =>
        new() { Source = "02", MountPoint = _path, Fstype = type, Options = { options } };

    private Task<IAttachedStorage> AttachAsync(Protocol.Storage storage) =>
        _attacher.AttachAsync(storage, BlockDeviceName.OfPci, CancellationToken.None).Within();

    private Task<RpcException> RefusalAsync(Protocol.Storage storage) =>
        Assert.ThrowsAsync<RpcException>(() => AttachAsync(storage)).Within();
}
