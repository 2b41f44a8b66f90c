using Kata.Hypervisor;
using Kata.Linux;
using Kata.Oci;

namespace Kata.Sandbox.Tests;

public sealed class RootPlannerTests
{
    private const string Directory = "/bundle/rootfs";
    private static readonly ContainerId s_id = ContainerId.Parse("c1");

    [Theory]
    [InlineData("ext4", "/dev/dm-1", "", false, "")]
    [InlineData("ext4", "/images/root", "loop", false, "")]
    [InlineData("ext4", "/images/root", "loop,rw", false, "rw")]
    [InlineData("ext4", "/dev/dm-1", "loop", false, "")]
    [InlineData("ext4", "/dev/dm-1", "ro,noatime", true, "ro,noatime")]
    [InlineData("ext4", "/dev/dm-1", "ro,rw", false, "ro,rw")] // the last one counts
    [InlineData("ext4", "/dev/dm-ro", "noatime", true, "noatime")]
    [InlineData("xfs", "/dev/dm-1", "nouuid,discard", false, "nouuid,discard")]
    [InlineData("erofs", "/images/root", "loop", true, "")]
    [InlineData("squashfs", "/dev/dm-1", "", true, "")]
    public void Plan_OneDisk_IsTheGuests(string type, string source, string options, bool readOnly, string guest)
    {
        var root = Assert.IsType<BlockRoot>(Plan(Of(type, source, options)));
        Assert.Equal((s_id, source, type, readOnly), (root.Container, root.Source, root.FileSystem, root.ReadOnly));
        Assert.Equal(guest, string.Join(',', root.Options));
        Assert.Equal(!readOnly, root.TakesNodes);
    }

    [Fact]
    public void Plan_OptionsInOneString_AreTakenApart() =>
        Assert.Equal(["noatime", "ro"], Assert.IsType<BlockRoot>(
            Plan(new FileSystemMount("ext4", "/images/root", "", ["noatime,loop", "ro"]))).Options);

    /// <summary>What the specification makes read-only has to be made first.</summary>
    [Fact]
    public void Plan_ReadOnlyContainerOnAWritableDisk_KeepsTheDiskWritable() =>
        Assert.True(Assert.IsType<BlockRoot>(Plan([Of("ext4", "/dev/dm-1", "")], readOnly: true)).TakesNodes);

    [Theory]
    [InlineData("overlay", "overlay", "lowerdir=/a:/b")]
    [InlineData("bind", "/some/directory", "rbind,ro")]
    [InlineData("btrfs", "/dev/dm-1", "subvol=7")] // the guest has no such file system
    [InlineData("ext3", "/dev/dm-1", "")]
    [InlineData("zfs", "pool/root", "")]
    public void Plan_AnotherFileSystem_IsMountedOnTheHostAndShared(string type, string source, string options)
    {
        FileSystemMount[] mounts = [Of(type, source, options)];
        AssertShared(mounts, Plan(mounts));
    }

    [Fact]
    public void Plan_SeveralMountsOrATarget_AreMountedOnTheHostAndShared()
    {
        FileSystemMount[] two = [Of("ext4", "/dev/dm-1", ""), Of("erofs", "/dev/dm-1", "")];
        AssertShared(two, Plan(two));
        FileSystemMount[] below = [Of("ext4", "/dev/dm-1", "") with { Target = "/sub" }];
        AssertShared(below, Plan(below));
        AssertShared([], Plan());
    }

    [Theory]
    [InlineData(nameof(DeviceKinds.None), true)] // microvm
    [InlineData(nameof(DeviceKinds.FileShare), true)]
    [InlineData(nameof(DeviceKinds.Disk), false)] // disable_block_device_use
    public void Plan_NoDisksForARunningMachine_IsMountedOnTheHostAndShared(string hot, bool blockDevices)
    {
        FileSystemMount[] mounts = [Of("ext4", "/images/root", "loop,ro")];
        AssertShared(mounts, Plan(mounts, hot: Enum.Parse<DeviceKinds>(hot), blockDevices: blockDevices));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Plan_SharedDirectory_IsAsReadOnlyAsTheContainer(bool readOnly)
    {
        ContainerRoot root = RootPlanner.Plan(s_id, Directory, readOnly, RootRequest.OfBundle, new FakeHostFiles());
        Assert.Equal(new SharedRoot(new SharedMount(Directory, readOnly)), root);
        Assert.Equal(!readOnly, root.TakesNodes);
    }

    [Theory]
    [InlineData("/missing", "", "'/missing' does not exist on the host")]
    [InlineData("dm-1", "", "'dm-1' does not exist on the host")]
    [InlineData("", "loop", "'' does not exist on the host")]
    [InlineData("/images/root", "", "'/images/root' is a regular file")]
    [InlineData("/directory", "loop", "'/directory' is neither a block device nor an image")]
    [InlineData("/special", "", "'/special' is neither a block device nor an image")]
    public void Plan_DiskThatIsNone_IsRefused(string source, string options, string cause)
    {
        InvalidSpecException error = Assert.Throws<InvalidSpecException>(() => Plan(Of("ext4", source, options)));
        Assert.Equal("/rootfs/0/source", error.Field);
        Assert.StartsWith(cause, error.Cause, StringComparison.Ordinal);
    }

    private static void AssertShared(FileSystemMount[] mounts, ContainerRoot root) =>
        Assert.Equal(mounts, Assert.IsType<SharedRoot>(root).Directory.Mounts);

    private static FileSystemMount Of(string type, string source, string options) =>
        new(type, source, "", options.Split(',', StringSplitOptions.RemoveEmptyEntries));

    private static ContainerRoot Plan(params FileSystemMount[] mounts) => Plan(mounts, readOnly: false);

    private static ContainerRoot Plan(
        FileSystemMount[] mounts, bool readOnly = false, DeviceKinds hot = DeviceKinds.Disk, bool blockDevices = true)
    {
        var machine = new MachineCapabilities { Machine = "a test's", Cold = DeviceKinds.Disk, Hot = hot, MaxPluggable = 1 };
        return RootPlanner.Plan(s_id, Directory, readOnly, RootRequest.Of(mounts, machine, blockDevices), new FakeHostFiles());
    }

    private sealed class FakeHostFiles : IHostFiles
    {
        public string HostName => "host";

        public HostFileKind KindOf(string path) => path switch
        {
            "/dev/dm-1" => HostFileKind.BlockDevice,
            "/dev/dm-ro" => HostFileKind.ReadOnlyBlockDevice,
            "/images/root" => HostFileKind.RegularFile,
            "/directory" => HostFileKind.Directory,
            "/special" => HostFileKind.Special,
            _ => HostFileKind.Missing,
        };

        public long? TmpfsSize(string path) => null;

        public ulong? NamespaceAt(string path) => null;
    }
}
