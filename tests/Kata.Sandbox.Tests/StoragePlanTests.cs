using Kata.Oci;

namespace Kata.Sandbox.Tests;

public sealed class StoragePlanTests
{
    private static readonly StoragePlan s_plan = new() { Name = "data", Source = "/srv/data.img", MountPoint = "/mnt/data" };

    [Theory]
    [InlineData("a")]
    [InlineData("0.x_y-Z")]
    public void Checked_GoodName_Passes(string name) => Assert.Equal(name, (s_plan with { Name = name }).Checked().Name);

    [Theory]
    [InlineData("")]
    [InlineData("-a")]
    [InlineData("a/b")]
    [InlineData("ä")]
    [InlineData("a\0")]
    public void Checked_BadName_IsRefusedWithTheField(string name) =>
        Assert.Contains("/name", Assert.Throws<InvalidSpecException>(() => (s_plan with { Name = name }).Checked()).Message);

    [Theory]
    [InlineData("")]
    [InlineData("mnt")]
    [InlineData("/")]
    [InlineData("/mnt/")]
    [InlineData("/mnt//x")]
    [InlineData("/mnt/../x")]
    [InlineData("/mnt/./x")]
    [InlineData("/mnt\0")]
    public void Checked_BadMountPoint_IsRefusedWithTheField(string point) =>
        Assert.Contains("/mount_point", Assert.Throws<InvalidSpecException>(() => (s_plan with { MountPoint = point }).Checked()).Message);

    [Fact]
    public void Checked_FileSystemWithoutMountPoint_IsRefused() => Assert.Throws<InvalidSpecException>(
        () => (s_plan with { MountPoint = null, FileSystem = "ext4" }).Checked());

    [Theory]
    [InlineData("/mnt/data", true)]
    [InlineData("/mnt/data/x/y", true)]
    [InlineData("/mnt/database", false)]
    [InlineData("/mnt", false)]
    public void Holds_Path_IsItsOwnOrBelow(string path, bool expected)
    {
        Assert.Equal(expected, s_plan.Holds(path));
        Assert.False((s_plan with { MountPoint = null }).Holds(path));
    }
}
