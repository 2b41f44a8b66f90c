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
    public void AddMount_Directory_IsNosuidNodevAndGoneAfterRemove()
    {
        string source = Source();
        using SharedDirectory share = SharedDirectory.Create(Combine("shared"));

        share.AddMount(DetachedMount.Of(source, recursive: true), "c1/rootfs", readOnly: true);

        Assert.Equal("x", File.ReadAllText(Path.Combine(share.Path, "c1/rootfs/file")));
        string mount = Assert.Single(MountsBelow(share.Path + "/"));
        Assert.StartsWith("ro,nosuid,nodev", mount.Split(' ')[5]);
        Assert.Throws<IOException>(() => File.WriteAllText(Path.Combine(share.Path, "c1/rootfs/file"), "y"));

        Assert.True(share.RemoveMount("c1/rootfs"));
        Assert.False(share.RemoveMount("c1/rootfs"));
        Assert.Empty(MountsBelow(share.Path + "/"));
        Assert.False(Directory.Exists(Path.Combine(share.Path, "c1/rootfs")));
    }

    [Fact]
    public void AddMount_GuestPlantedLink_RefusesAndLeavesTheHostAlone()
    {
        string source = Source();
        string victim = Directory.CreateDirectory(Combine("victim")).FullName;
        using SharedDirectory share = SharedDirectory.Create(Combine("shared"));
        Directory.CreateSymbolicLink(Path.Combine(share.Path, "c1"), victim);
        Directory.CreateDirectory(Path.Combine(share.Path, "c2"));
        Directory.CreateSymbolicLink(Path.Combine(share.Path, "c2/rootfs"), victim);

        Assert.Throws<LinuxException>(() => share.AddMount(DetachedMount.Of(source, recursive: true), "c1/rootfs", readOnly: false));
        Assert.Throws<LinuxException>(() => share.AddMount(DetachedMount.Of(source, recursive: true), "c2/rootfs", readOnly: false));

        Assert.Empty(Directory.GetFileSystemEntries(victim));
        Assert.Empty(MountsBelow(victim));
    }

    [Fact]
    public void RemoveMount_GuestSwappedTheDirectoryForALink_UnmountsOnlyOurs()
    {
        string source = Source();
        string victim = Directory.CreateDirectory(Combine("victim/rootfs")).FullName;
        using SharedDirectory other = SharedDirectory.Create(victim);
        using SharedDirectory share = SharedDirectory.Create(Combine("shared"));
        share.AddMount(DetachedMount.Of(source, recursive: true), "c1/rootfs", readOnly: false);
        Directory.Move(Path.Combine(share.Path, "c1"), Path.Combine(share.Path, "elsewhere"));
        Directory.CreateSymbolicLink(Path.Combine(share.Path, "c1"), Combine("victim"));

        Assert.True(share.RemoveMount("c1/rootfs"));

        Assert.Empty(MountsBelow(share.Path + "/"));
        Assert.Single(MountsBelow(victim));
    }

    [Fact]
    public void AddMount_SingleFile_MountsTheFile()
    {
        string source = Source();
        using SharedDirectory share = SharedDirectory.Create(Combine("shared"));

        share.AddMount(DetachedMount.Of(Path.Combine(source, "file"), recursive: true), "c1/hosts", readOnly: false);

        Assert.Equal("x", File.ReadAllText(Path.Combine(share.Path, "c1/hosts")));
        Assert.True(share.RemoveMount("c1/hosts"));
        Assert.False(File.Exists(Path.Combine(share.Path, "c1/hosts")));
    }

    [Fact]
    public void OpenTree_MountOfAnotherNamespace_ComesIn()
    {
        string place = Directory.CreateDirectory(Combine("later")).FullName;
        using SafeFileDescriptor other = NamespaceThread.Run(() =>
        {
            LinuxException.ThrowIfNegative(Kata.Linux.Interop.LibC.unshare(Kata.Linux.Interop.LibC.CLONE_NEWNS), "unshare", "test");
            LinuxException.ThrowIfNegative(
                Kata.Linux.Interop.LibC.mount(null, "/", null, MountFlags.MS_REC | MountFlags.MS_PRIVATE, null), "mount", "test");
            LinuxException.ThrowIfNegative(Kata.Linux.Interop.LibC.mount("t", place, "tmpfs", MountFlags.None, "mode=755"), "mount", "test");
            File.WriteAllText(Path.Combine(place, "inside"), "there");
            return LinuxException.ThrowIfInvalid(
                Kata.Linux.Interop.LibC.open($"/proc/thread-self/ns/mnt", Kata.Linux.Interop.LibC.O_CLOEXEC, 0), "open", "test");
        });
        using SharedDirectory share = SharedDirectory.Create(Combine("shared"));

        share.AddMount(HostMounts.OpenTree(place, [], other), "c1/rootfs", readOnly: false);

        Assert.False(File.Exists(Path.Combine(place, "inside")));
        Assert.Equal("there", File.ReadAllText(Path.Combine(share.Path, "c1/rootfs/inside")));
    }

    private static string[] MountsBelow(string prefix) =>
        [.. File.ReadAllLines("/proc/thread-self/mountinfo").Where(line => line.Split(' ')[4].StartsWith(prefix, StringComparison.Ordinal))];

    private string Combine(string name) => Path.Combine(_directory.FullName, name);

    private string Source()
    {
        string source = Directory.CreateDirectory(Combine("source")).FullName;
        File.WriteAllText(Path.Combine(source, "file"), "x");
        return source;
    }
}
