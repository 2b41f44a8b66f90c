using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Testing;

namespace Kata.Storage.Tests;

public sealed class RootFsPathsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly SafeFileDescriptor _root;

    public RootFsPathsTests()
    {
        foreach (string made in (string[])["etc", "var", "run", "data/deep"])
        {
            Directory.CreateDirectory(_directory.File(made));
        }

        Link("var/run", "/run");
        Link("etc/resolv.conf", "../run/systemd/stub.conf");
        Link("etc/out", "../../../../../host");
        Link("etc/absolute", "/usr/share/zone");
        Link("data/up", "..");
        Link("loop", "loop");
        Link("a", "b");
        Link("b", "/a/");
        _root = LinuxException.ThrowIfInvalid(LibC.open(_directory.Path, LibC.O_PATH | LibC.O_CLOEXEC, 0), "open", "test");
    }

    public void Dispose()
    {
        _root.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("/data/deep", "/data/deep")]
    [InlineData("//data/./deep/../new/", "/data/new")]
    [InlineData("/not/there", "/not/there")]
    [InlineData("/", "/")]
    [InlineData("/../..", "/")]
    [InlineData("/var/run/app", "/run/app")]
    [InlineData("/etc/resolv.conf", "/run/systemd/stub.conf")]
    [InlineData("/etc/out", "/host")]
    [InlineData("/etc/absolute", "/usr/share/zone")]
    [InlineData("/data/up/etc/resolv.conf", "/run/systemd/stub.conf")]
    [InlineData("/etc/absolute/../x", "/usr/share/x")]
    public void Resolve_Links_AreFollowedInsideTheRoot(string destination, string expected) =>
        Assert.Equal(expected, RootFsPaths.Resolve(_root, destination, new HashSet<string>()));

    [Theory]
    [InlineData("/var/run/app/x", "/run/app/x")]
    [InlineData("/run/link/../y", "/run/y")]
    public void Resolve_BelowAMount_GoesNoFurther(string destination, string expected)
    {
        Link("run/link", "/etc");
        Link("run/app", "/etc");
        Assert.Equal(expected, RootFsPaths.Resolve(_root, destination, new HashSet<string> { "/run" }));
    }

    [Theory]
    [InlineData("/loop")]
    [InlineData("/a/x")]
    public void Resolve_LinksInACircle_AreAnError(string destination) =>
        Assert.Equal(
            Errno.ELOOP, Assert.Throws<LinuxException>(() => RootFsPaths.Resolve(_root, destination, new HashSet<string>())).Errno);

    private void Link(string path, string target) => File.CreateSymbolicLink(_directory.File(path), target);
}
