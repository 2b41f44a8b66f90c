namespace Kata.Linux.Tests;

public sealed class MountInfoTests
{
    [Theory]
    [InlineData(
        "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue", "98:0", "/mnt1", "/mnt2", false, false, true)]
    [InlineData("36 35 0:7 / /a\\040b\\134c ro,nosuid shared:5 - tmpfs tmpfs rw", "0:7", "/", "/a b\\c", true, false, true)]
    [InlineData("36 35 0:7 / /a rw - tmpfs tmpfs ro", "0:7", "/", "/a", false, false, false)]
    [InlineData("36 35 0:7 / /a rw unbindable - tmpfs tmpfs ro", "0:7", "/", "/a", false, false, false)]
    [InlineData("36 35 0:7 / /a rw,idmapped - tmpfs tmpfs ro", "0:7", "/", "/a", false, true, false)]
    public void Parse_Line_HasItsFields(
        string line, string fileSystem, string root, string mountPoint, bool readOnly, bool idMapped, bool isReached) =>
        Assert.Equal(new MountInfo(36, fileSystem, root, mountPoint, readOnly, idMapped, isReached), MountInfo.Parse(line));

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("1 2 3:4 / /")]
    [InlineData("x 35 0:7 / /a rw - tmpfs tmpfs ro")]
    public void Parse_NoLineOfMountinfo_IsNull(string line) => Assert.Null(MountInfo.Parse(line));

    [Fact]
    public void Read_OwnNamespace_HasARoot() => Assert.Contains(MountInfo.Read(), static mount => mount.MountPoint == "/");
}
