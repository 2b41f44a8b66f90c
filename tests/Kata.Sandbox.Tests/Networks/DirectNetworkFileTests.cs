using Kata.Linux;
using Kata.Oci;
using Kata.Testing;

namespace Kata.Sandbox.Tests;

public sealed class DirectNetworkFileTests : IDisposable
{
    private static readonly SandboxId s_pod = SandboxId.Parse("pod");

    private readonly TemporaryDirectory _directory = new();

    private string File => _directory.File("pod.json");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Find_NoDirectoryOrNoFile_IsNone()
    {
        System.IO.File.WriteAllText(_directory.File("other.json"), "{}");
        Assert.Null(DirectNetworkFile.Find(null, s_pod));
        Assert.Null(DirectNetworkFile.Find(_directory.Path, s_pod));
        Assert.Null(DirectNetworkFile.Find(_directory.File("missing"), s_pod));
        Assert.Null(DirectNetworkFile.Find(_directory.File("other.json"), s_pod));
    }

    [Fact]
    public void Find_FileOfThePod_IsItsNetwork()
    {
        System.IO.File.WriteAllText(File, """{"devices":[]}""");
        Assert.Equal(File, DirectNetworkFile.Find(_directory.Path, s_pod)!.Path);
    }

    [Fact]
    public void Find_FieldThatIsWrong_NamesFileAndField()
    {
        System.IO.File.WriteAllText(File, """{"devices":[{}]}""");
        InvalidSpecException error = Assert.Throws<InvalidSpecException>(() => DirectNetworkFile.Find(_directory.Path, s_pod));
        Assert.Equal($"Cannot use the file '{File}': /devices/0/name: is missing. It must be a string", error.Message);
    }

    [Fact]
    public void Find_MoreThanAMegabyte_IsRefusedUnread()
    {
        using (FileStream file = System.IO.File.Create(File))
        {
            file.SetLength(DirectNetworkFile.MaxBytes + 1);
        }

        Assert.Contains(
            "It must be a file of at most 1048576 bytes",
            Assert.Throws<InvalidSpecException>(() => DirectNetworkFile.Find(_directory.Path, s_pod)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_FifoOrDirectory_IsRefusedAtOnce()
    {
        Assert.Equal(0, Kata.Linux.Interop.LibC.mknod(File, 0x1000 | FileModes.Private, 0));
        Assert.Contains(
            "is no regular file",
            Assert.Throws<InvalidSpecException>(() => DirectNetworkFile.Find(_directory.Path, s_pod)).Message, StringComparison.Ordinal);

        System.IO.File.Delete(File);
        Directory.CreateDirectory(File);
        Assert.Throws<InvalidSpecException>(() => DirectNetworkFile.Find(_directory.Path, s_pod));
    }
}
