namespace Kata.Storage.Tests;

public sealed class FileSystemMagicTests
{
    [Theory]
    [InlineData(0, "58465342", "xfs")]
    [InlineData(0, "68737173", "squashfs")]
    [InlineData(1024, "e2e1f5e0", "erofs")]
    [InlineData(1080, "53ef", "ext4")]
    [InlineData(1081, "53ef", null)]
    [InlineData(0, "00000000", null)]
    public void Find_MagicNumberInItsPlace_NamesTheFileSystem(int offset, string magic, string? expected)
    {
        byte[] head = new byte[FileSystemMagic.HeadBytes];
        Convert.FromHexString(magic).CopyTo(head, offset);

        Assert.Equal(expected, FileSystemMagic.Find(head));
    }

    /// <summary>A disk that is shorter than where the magic number would be, to the byte.</summary>
    [Theory]
    [InlineData(1080, "53ef", 1082, "ext4")]
    [InlineData(1080, "53ef", 1081, null)]
    [InlineData(1024, "e2e1f5e0", 1028, "erofs")]
    [InlineData(1024, "e2e1f5e0", 1027, null)]
    [InlineData(0, "58465342", 3, null)]
    [InlineData(0, "58465342", 0, null)]
    public void Find_ShortDisk_ReadsNothingBeyondItsEnd(int offset, string magic, int length, string? expected)
    {
        byte[] head = new byte[FileSystemMagic.HeadBytes];
        Convert.FromHexString(magic).CopyTo(head, offset);

        Assert.Equal(expected, FileSystemMagic.Find(head.AsSpan(0, length)));
    }
}
