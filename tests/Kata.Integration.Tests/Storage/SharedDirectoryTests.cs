using Kata.Integration.Tests.Hypervisor;
using Kata.Linux;
using Kata.Storage;

namespace Kata.Integration.Tests.Storage;

public sealed class SharedDirectoryTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kata-test-");

    public SharedDirectoryTests() => GuestFiles.RequireRoot();

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Add_Directory_IsNosuidNodevAndGoneAfterRemove()
    {
        using DetachedMount source = DetachedMount.Of(Source(), recursive: false);
        using SharedDirectory share = SharedDirectory.Create(Combine("shared"));

        share.Add(source, "0", readOnly: true);

        Assert.Equal("x", File.ReadAllText(Path.Combine(share.Path, "0/file")));
        string mount = Assert.Single(MountsBelow(share.Path + "/"));
        Assert.StartsWith("ro,nosuid,nodev", mount.Split(' ')[5]);
        Assert.Throws<IOException>(() => File.WriteAllText(Path.Combine(share.Path, "0/file"), "y"));

        share.Remove(source, "0");

        Assert.Empty(MountsBelow(share.Path + "/"));
        Assert.False(Directory.Exists(Path.Combine(share.Path, "0")));
    }

    [Fact]
    public void Create_Root_IsAFileSystemOfItsOwnThatNobodyCanWriteTo()
    {
        using SharedDirectory share = SharedDirectory.Create(Combine("shared"));

        Assert.Throws<IOException>(() => Directory.CreateDirectory(Path.Combine(share.Path, "planted")));
        Assert.Throws<IOException>(() => File.CreateSymbolicLink(Path.Combine(share.Path, "link"), "/"));
        string mount = Assert.Single(MountsBelow(share.Path));
        Assert.StartsWith("ro,nosuid,nodev", mount.Split(' ')[5]);
        Assert.Contains(" shared:", mount, StringComparison.Ordinal);
        Assert.Contains(" - tmpfs ", mount, StringComparison.Ordinal);
    }

    [Fact]
    public void Dispose_WithAMountInIt_UnmountsAll()
    {
        using DetachedMount source = DetachedMount.Of(Source(), recursive: false);
        SharedDirectory share = SharedDirectory.Create(Combine("shared"));
        share.Add(source, "0", readOnly: false);

        share.Dispose();

        Assert.Empty(MountsBelow(share.Path));
        Assert.Empty(Directory.GetFileSystemEntries(share.Path));
    }

    [Fact]
    public void Add_NameInUse_IsRefusedAndTheFirstStays()
    {
        using DetachedMount source = DetachedMount.Of(Source(), recursive: false), second = DetachedMount.Of(Source(), recursive: false);
        using SharedDirectory share = SharedDirectory.Create(Combine("shared"));
        share.Add(source, "0", readOnly: false);

        Assert.Equal(Errno.EEXIST, Assert.Throws<LinuxException>(() => share.Add(second, "0", readOnly: false)).Errno);

        Assert.Equal("x", File.ReadAllText(Path.Combine(share.Path, "0/file")));
    }

    [Fact]
    public void Add_SingleFile_MountsTheFile()
    {
        using DetachedMount source = DetachedMount.Of(Path.Combine(Source(), "file"), recursive: false);
        using SharedDirectory share = SharedDirectory.Create(Combine("shared"));

        share.Add(source, "hosts", readOnly: false);

        Assert.Equal("x", File.ReadAllText(Path.Combine(share.Path, "hosts")));
        share.Remove(source, "hosts");
        Assert.False(File.Exists(Path.Combine(share.Path, "hosts")));
    }

    private static string[] MountsBelow(string prefix) =>
    [
        .. File.ReadAllLines("/proc/thread-self/mountinfo").Where(line => line.Split(' ')[4].StartsWith(prefix, StringComparison.Ordinal)),
    ];

    private string Combine(string name) => Path.Combine(_directory.FullName, name);

    private string Source()
    {
        string source = Directory.CreateDirectory(Combine("source")).FullName;
        File.WriteAllText(Path.Combine(source, "file"), "x");
        return source;
    }
}
