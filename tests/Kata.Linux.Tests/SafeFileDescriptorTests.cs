using Kata.Linux.Interop;

namespace Kata.Linux.Tests;

public sealed class SafeFileDescriptorTests
{
    [Fact]
    public void Open_MissingFile_IsInvalidWithErrno()
    {
        using SafeFileDescriptor file = LibC.open("/nowhere/nothing", LibC.O_RDONLY | LibC.O_CLOEXEC, 0);
        LinuxException error = LinuxException.FromLastErrno("open", "open it");

        Assert.True(file.IsInvalid);
        Assert.Equal(Errno.ENOENT, error.Errno);
    }

    [Theory]
    [InlineData(-1, true)]
    [InlineData(0, false)]
    public void IsInvalid_ByNumber(int number, bool expected) =>
        Assert.Equal(expected, new SafeFileDescriptor(number, ownsHandle: false).IsInvalid);

    [Fact]
    public void Duplicate_KeepsTheFileAndSetsCloexec()
    {
        (SafeFileDescriptor read, SafeFileDescriptor write) = Pipe.Create();
        using (read)
        using (write)
        using (SafeFileDescriptor copy = read.Duplicate(100))
        {
            Assert.True(copy.Number >= 100);
            Assert.Equal(FileStatus.Of(read).Inode, FileStatus.Of(copy).Inode);
            Assert.Equal(1, LibC.fcntl_int(copy, 1 /* F_GETFD */, 0));
        }
    }
}
