using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Storage;

namespace Kata.Integration.Tests.Storage;

public sealed class RootFsMountPointsTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("kata-mount-points-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Make_MissingPath_MakesDirectoriesAndAFile()
    {
        Make("/run/lock/file", isDirectory: false);
        Make("/var/lib/data", isDirectory: true);

        Assert.True(File.Exists(Path.Combine(_root, "run/lock/file")));
        Assert.True(Directory.Exists(Path.Combine(_root, "var/lib/data")));
    }

    [Fact]
    public void Make_ExistingFile_KeepsIt()
    {
        File.WriteAllText(Path.Combine(_root, "hosts"), "content");

        Make("/hosts", isDirectory: false);
        Make("/hosts", isDirectory: true);

        Assert.Equal("content", File.ReadAllText(Path.Combine(_root, "hosts")));
    }

    [Fact]
    public void Make_LinkToTheHost_StaysInTheRootFileSystem()
    {
        string outside = Directory.CreateTempSubdirectory("kata-mount-points-outside-").FullName;
        File.CreateSymbolicLink(Path.Combine(_root, "link"), outside);
        File.CreateSymbolicLink(Path.Combine(_root, "up"), "../..");

        Make("/link/inside", isDirectory: true);
        Make("/up/also", isDirectory: true);

        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
        Assert.True(Directory.Exists(Path.Combine(_root, "also")));
        Directory.Delete(outside);
    }

    [Fact]
    public void Make_FileInTheWay_IsLeftForTheGuestToReport()
    {
        File.WriteAllText(Path.Combine(_root, "file"), "");

        Make("/file/below", isDirectory: true);

        Assert.True(File.Exists(Path.Combine(_root, "file")));
    }

    private void Make(string destination, bool isDirectory)
    {
        using SafeFileDescriptor root = LinuxException.ThrowIfInvalid(
            LibC.open(_root, LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0), "open", "open the root");
        RootFsMountPoints.Make(root, destination, isDirectory);
    }
}
