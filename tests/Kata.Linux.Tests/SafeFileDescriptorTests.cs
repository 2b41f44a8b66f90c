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

    [Fact]
    public void IsInvalid_UpperHalfOfTheRegisterIsGarbage_StillSeesMinusOne()
    {
        using var file = new SafeFileDescriptor(-1);

        Assert.True(file.IsInvalid);
        Assert.False(new SafeFileDescriptor(0, ownsHandle: false).IsInvalid);
    }
}
