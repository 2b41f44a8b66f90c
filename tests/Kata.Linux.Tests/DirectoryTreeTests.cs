using Kata.Linux.Interop;

namespace Kata.Linux.Tests;

public sealed class DirectoryTreeTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kata-");

    private string Tree => Combine("tree");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Remove_NamesThatAreNoText_AreRemoved()
    {
        using SafeFileDescriptor tree = Make(Tree);
        MakeFile(tree, [0xff]);
        using SafeFileDescriptor directory = MakeDirectory(tree, [0xc3, 0x28]);
        MakeFile(directory, "line\nbreak \xff"u8.ToArray());
        using SafeFileDescriptor below = MakeDirectory(directory, [0xff, 0xfe]);
        MakeFile(below, [0x80]);

        DirectoryTree.Remove(Tree);

        Assert.False(Directory.Exists(Tree));
    }

    [Theory]
    [InlineData(80)]
    [InlineData(5000)] // deeper than a process may have files open, and than a path may be long
    public void Remove_DeepTree_IsRemoved(int depth)
    {
        SafeFileDescriptor at = Make(Tree);
        for (int i = 0; i < depth; i++)
        {
            MakeFile(at, "0"u8.ToArray()); // a name that the removal itself would use
            SafeFileDescriptor next = MakeDirectory(at, "1"u8.ToArray());
            at.Dispose();
            at = next;
        }

        at.Dispose();

        DirectoryTree.Remove(Tree);

        Assert.False(Directory.Exists(Tree));
    }

    [Fact]
    public void Remove_WideTree_IsRemoved()
    {
        for (int i = 0; i < 30; i++)
        {
            for (int j = 0; j < 30; j++)
            {
                Directory.CreateDirectory(Path.Combine(Tree, $"{i}", $"{j}", "x"));
                File.WriteAllText(Path.Combine(Tree, $"{i}", $"{j}", "x", "file"), "");
            }
        }

        DirectoryTree.Remove(Tree);

        Assert.False(Directory.Exists(Tree));
    }

    [Fact]
    public void Remove_Links_AreRemovedAndNotFollowed()
    {
        string outside = Directory.CreateDirectory(Combine("outside")).FullName;
        File.WriteAllText(Path.Combine(outside, "kept"), "x");
        Directory.CreateDirectory(Path.Combine(Tree, "a/b"));
        File.CreateSymbolicLink(Path.Combine(Tree, "link"), outside);
        File.CreateSymbolicLink(Path.Combine(Tree, "a/b/link"), outside);

        DirectoryTree.Remove(Tree);

        Assert.False(Directory.Exists(Tree));
        Assert.True(File.Exists(Path.Combine(outside, "kept")));
    }

    [Fact]
    public void Remove_FileOrLinkOrNothing_IsRemoved()
    {
        File.WriteAllText(Tree, "x");
        DirectoryTree.Remove(Tree);
        Assert.False(File.Exists(Tree));

        File.CreateSymbolicLink(Tree, "/nowhere");
        DirectoryTree.Remove(Tree);
        Assert.False(Path.Exists(Tree) || new FileInfo(Tree).LinkTarget is not null);

        DirectoryTree.Remove(Tree);
        DirectoryTree.Remove(Combine("no/such/tree"));
    }

    private string Combine(string name) => Path.Combine(_directory.FullName, name);

    private static SafeFileDescriptor Make(string path)
    {
        Directory.CreateDirectory(path);
        return LinuxException.ThrowIfInvalid(LibC.open(path, LibC.O_RDONLY | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0), "open", path);
    }

    private static unsafe void MakeFile(SafeFileDescriptor directory, byte[] name)
    {
        var how = new OpenHow { flags = (ulong)(LibC.O_CREAT | LibC.O_EXCL | LibC.O_WRONLY | LibC.O_CLOEXEC), mode = 0x180 };
        fixed (byte* text = (byte[])[.. name, 0]) // SAFETY: ends with NUL, pinned for the call
        {
            LinuxException.ThrowIfInvalid(LibC.openat2(directory, text, in how), "openat2", "make a file").Dispose();
        }
    }

    // Under a plain name first: there is no mkdirat by bytes.
    private static unsafe SafeFileDescriptor MakeDirectory(SafeFileDescriptor parent, byte[] name)
    {
        Assert.Equal(0, LibC.mkdirat(parent, "new", 0x1c0));
        fixed (byte* from = (byte[])[.. "new"u8, 0], to = (byte[])[.. name, 0]) // SAFETY: both end with NUL, pinned for the calls
        {
            Assert.Equal(0, LibC.renameat2(parent, from, parent, to, 0));
            return LinuxException.ThrowIfInvalid(
                LibC.openat2(parent, to, new OpenHow { flags = (ulong)(LibC.O_RDONLY | LibC.O_DIRECTORY | LibC.O_CLOEXEC) }),
                "openat2",
                "open a directory");
        }
    }
}
