using Kata.Agent.Storage;
using Kata.Linux;
using Kata.Testing;

namespace Kata.Agent.Tests;

public sealed class MountPointsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly MountPoints _points = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Release_DirectoriesWereMade_GoWithTheirUse()
    {
        _points.Take(_directory.File("a/b/c/"));
        Assert.True(Directory.Exists(_directory.File("a/b/c")));
        _points.Release(_directory.File("a/b/c"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory.Path));
    }

    [Fact]
    public void Release_DirectoryWasThere_Stays()
    {
        Directory.CreateDirectory(_directory.File("there"));
        _points.Take(_directory.File("there/made"));
        _points.Take(_directory.File("there"));
        _points.Release(_directory.File("there/made"));
        _points.Release(_directory.File("there"));
        Assert.True(Directory.Exists(_directory.File("there")));
        Assert.False(Directory.Exists(_directory.File("there/made")));
    }

    [Fact]
    public void Release_OthersUseWhatWasMade_GoesWithTheLast()
    {
        _points.Take(_directory.File("a/one"));
        _points.Take(_directory.File("a/two"));
        _points.Take(_directory.File("a/two"));
        _points.Release(_directory.File("a/one"));
        _points.Release(_directory.File("a/two"));
        Assert.True(Directory.Exists(_directory.File("a/two")));
        _points.Release(_directory.File("a/two"));
        Assert.False(Directory.Exists(_directory.File("a")));
    }

    [Fact]
    public void Release_DirectoryAboveIsAMountPointToo_StaysForIt()
    {
        _points.Take(_directory.File("a/b"));
        _points.Take(_directory.File("a"));
        _points.Release(_directory.File("a/b"));
        Assert.True(Directory.Exists(_directory.File("a")));
        _points.Release(_directory.File("a"));
        Assert.False(Directory.Exists(_directory.File("a")));
    }

    [Fact]
    public void Release_SomethingIsInADirectoryThatWasMade_LosesNothing()
    {
        _points.Take(_directory.File("a/b"));
        File.WriteAllText(_directory.File("a/file"), "");
        _points.Release(_directory.File("a/b"));
        Assert.True(File.Exists(_directory.File("a/file")));
    }

    [Fact]
    public void Take_PathLeadsThroughAFile_LeavesNothing()
    {
        File.WriteAllText(_directory.File("file"), "");
        Assert.Throws<LinuxException>(() => _points.Take(_directory.File("file/a/b")));
        Assert.Throws<LinuxException>(() => _points.Take(_directory.File($"a/{new string('x', 300)}"))); // longer than a name may be
        Assert.False(Directory.Exists(_directory.File("a")));
    }
}
