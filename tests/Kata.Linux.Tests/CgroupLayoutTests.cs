using CsCheck;

namespace Kata.Linux.Tests;

public sealed class CgroupLayoutTests
{
    [Fact]
    public void Parse_VersionTwo_FindsTheUnifiedHierarchyAndOurPlace()
    {
        CgroupLayout layout = CgroupLayout.Parse(
            ["35 24 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate"],
            ["0::/system.slice/ssh.service"]);

        CgroupHierarchy only = Assert.Single(layout.ForTracking);
        Assert.Equal((true, "/sys/fs/cgroup/system.slice/ssh.service"), (only.IsUnified, only.SelfDirectory));
    }

    [Fact]
    public void Parse_Hybrid_PrefersUnifiedThenPidsThenSystemd()
    {
        CgroupLayout layout = CgroupLayout.Parse(
            [
                "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755",
                "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory",
                "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct",
                "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd",
                "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids",
                "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw",
            ],
            ["9:name=systemd:/a", "8:pids:/b", "4:memory:/c/d", "1:cpu,cpuacct:/e", "0::/"]);

        Assert.Equal(
            ["/sys/fs/cgroup/unified", "/sys/fs/cgroup/pids/b", "/sys/fs/cgroup/systemd/a"],
            layout.ForTracking.Select(static item => item.SelfDirectory));
        Assert.Equal(
            "/sys/fs/cgroup/cpu,cpuacct/e", layout.Hierarchies.Single(static item => item.Controllers.Contains("cpu")).SelfDirectory);
    }

    [Fact]
    public void Parse_InsideAContainer_StripsTheMountsRoot()
    {
        CgroupLayout layout = CgroupLayout.Parse(
            ["39 31 0:36 /docker/abc /sys/fs/cgroup/pids ro,relatime - cgroup cgroup rw,pids"], ["8:pids:/docker/abc/inner"]);

        Assert.Equal("/sys/fs/cgroup/pids/inner", Assert.Single(layout.Hierarchies).SelfDirectory);
    }

    [Fact]
    public void Parse_EscapedMountPoint_IsDecoded()
    {
        CgroupLayout layout = CgroupLayout.Parse(["1 2 0:3 / /my\\040groups rw - cgroup2 none rw"], ["0::/x"]);

        Assert.Equal("/my groups/x", Assert.Single(layout.Hierarchies).SelfDirectory);
    }

    [Fact]
    public void Parse_None_TracksNothing() => Assert.Empty(CgroupLayout.Parse(["1 2 0:3 / / rw - ext4 /dev/sda rw"], []).ForTracking);

    [Fact]
    public void Parse_AnyText_NeverThrows() =>
        Gen.Select(Gen.String[Gen.Char["\\01 -/:,cgroup2\t"], 0, 60].Array[0, 5], Gen.String[Gen.Char["0:/,ab.\\"], 0, 30].Array[0, 5])
            .Sample((mounts, own) => CgroupLayout.Parse(mounts, own) is not null);

    [Fact]
    public void Create_NoHierarchy_IsANullObjectThatSaysWhy()
    {
        CgroupSet group = CgroupSet.Create(new CgroupLayout([]), "/kata/test");

        group.Join(Environment.ProcessId);
        Assert.Empty(group.Directories);
        Assert.Contains("no control group hierarchy", group.Problem);
        Assert.Empty(group.Apply(new CgroupLimits { MemoryBytes = 1 }));
    }

    [Fact]
    public void Create_NotAHierarchy_IsANullObjectThatNamesIt()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("kata-test-");
        CgroupSet group = CgroupSet.Create(
            new CgroupLayout([new CgroupHierarchy(directory.FullName, true, [], directory.FullName)]), "/kata/x");
        directory.Delete(recursive: true);

        Assert.Contains("is not a control group", group.Problem);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/kata/../x")]
    [InlineData("a\0b")]
    public void Combine_EscapingPath_Throws(string path) =>
        Assert.Throws<ArgumentException>(() => HostCgroup.Combine("/sys/fs/cgroup", path));
}
