using Google.Protobuf;
using Grpc.Core;
using Kata.Agent.Protocol;
using Kata.Agent.Storage;
using Kata.Linux;

namespace Kata.Agent.Tests;

public sealed class ConfinedDirectoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("kata-agent-test").FullName;

    private string Inside => Path.Combine(_root, "inside");

    public ConfinedDirectoryTests()
    {
        Directory.CreateDirectory(Path.Combine(Inside, "etc"));
        File.WriteAllText(Path.Combine(_root, "secret"), "secret");
        File.WriteAllText(Path.Combine(Inside, "etc/passwd"), "ok");
        File.CreateSymbolicLink(Path.Combine(Inside, "out"), "../secret");
        File.CreateSymbolicLink(Path.Combine(Inside, "absolute"), "/etc/passwd");
        File.CreateSymbolicLink(Path.Combine(Inside, "up"), "..");
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("/etc/passwd", "ok")]
    [InlineData("absolute", "ok")] // the container's own, not the guest's
    [InlineData("../../../etc/passwd", "ok")]
    [InlineData("out", null)]
    [InlineData("missing", null)]
    [InlineData("etc", "")]
    public void ReadText_AsRoot_StaysInside(string path, string? expected)
    {
        using ConfinedDirectory directory = ConfinedDirectory.OpenAsRoot(Inside);
        Assert.Equal(expected, directory.ReadText(path, 100));
    }

    [Fact]
    public void ReadText_LargerThanTheLimit_IsNull()
    {
        File.WriteAllText(Path.Combine(Inside, "big"), new string('x', 101));
        using ConfinedDirectory directory = ConfinedDirectory.OpenAsRoot(Inside);
        Assert.Null(directory.ReadText("big", 100));
    }

    [Theory]
    [InlineData("up/x")]
    [InlineData("../x")]
    [InlineData("out")]
    public void OpenFile_BeneathThroughLinksOrUp_IsRefused(string path)
    {
        using ConfinedDirectory directory = ConfinedDirectory.OpenBeneath(Inside);
        var error = Assert.Throws<LinuxException>(() => directory.OpenFile(path, 0));
        Assert.Contains(error.Errno, new[] { Errno.EXDEV, Errno.ELOOP });
    }

    [Theory]
    [InlineData("/run/kata-containers/a/b", "a/b")]
    [InlineData("/run/kata-containers/", null)]
    [InlineData("/run/kata-containers", null)]
    [InlineData("/run/kata-containers2/a", null)]
    [InlineData("/run/kata-containers/../x", null)]
    [InlineData("/run/kata-containers/a//b", null)]
    [InlineData("/run/kata-containers/a/./b", null)]
    [InlineData("/run/kata-containers/a\0b", null)]
    [InlineData("run/kata-containers/a", null)]
    [InlineData("", null)]
    public void Relative_OnlyPlainPathsBelow(string path, string? expected)
    {
        if (expected is not null)
        {
            Assert.Equal(expected, FileReceiver.Relative(path));
            return;
        }

        Assert.Equal(StatusCode.InvalidArgument, Assert.Throws<RpcException>(() => FileReceiver.Relative(path)).StatusCode);
    }

    [Fact]
    public void Receive_InPieces_AppearsWhole()
    {
        var receiver = new FileReceiver(Inside);
        var request = new CopyFileRequest
        {
            Path = "/run/kata-containers/new/dir/file",
            FileSize = 6,
            FileMode = 0x1A4,
            Data = ByteString.CopyFromUtf8("abc"),
            Uid = (int)Kata.Linux.Interop.LibC.geteuid(),
            Gid = 0,
        };
        receiver.Receive(request);
        string target = Path.Combine(Inside, "new/dir/file");
        Assert.False(File.Exists(target));
        request.Offset = 3;
        request.Data = ByteString.CopyFromUtf8("def");
        receiver.Receive(request);
        Assert.Equal("abcdef", File.ReadAllText(target));
        Assert.Equal(["file"], Directory.GetFileSystemEntries(Path.Combine(Inside, "new/dir")).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData(5, 0, "abcdef")]
    [InlineData(6, 1, "abcdef")]
    [InlineData(6, -1, "a")]
    [InlineData(-1, 0, "")]
    [InlineData(6, long.MaxValue, "a")]
    public void Receive_SizesThatDoNotFit_AreRefused(long size, long offset, string data)
    {
        var request =
            new CopyFileRequest { Path = "/run/kata-containers/f", FileSize = size, Offset = offset, Data = ByteString.CopyFromUtf8(data) };
        Assert.Equal(StatusCode.InvalidArgument, Assert.Throws<RpcException>(() => new FileReceiver(Inside).Receive(request)).StatusCode);
    }

    [Fact]
    public void Receive_ThroughALink_IsRefused()
    {
        var request = new CopyFileRequest { Path = "/run/kata-containers/up/planted", FileSize = 1, Data = ByteString.CopyFromUtf8("x") };
        Assert.Throws<LinuxException>(() => new FileReceiver(Inside).Receive(request));
        Assert.False(File.Exists(Path.Combine(_root, "planted")));
    }
}
