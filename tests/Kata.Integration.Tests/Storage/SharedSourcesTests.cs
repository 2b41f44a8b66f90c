using Kata.Integration.Tests.Hypervisor;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Storage;

namespace Kata.Integration.Tests.Storage;

/// <summary>What is opened on the host, and what of it is the same for a guest. Each test mounts in a namespace of its own.</summary>
public sealed class SharedSourcesTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kata-test-");

    public SharedSourcesTests()
    {
        GuestFiles.RequireRoot();
        Directory.CreateDirectory(Combine("volume/sub/deep"));
        Directory.CreateDirectory(Combine("other"));
        File.WriteAllText(Combine("volume/sub/file"), "x");
    }

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Acquire_OneDirectoryByTwoPaths_IsSharedOnce() => InNamespace(share =>
    {
        Bind("volume", "other");
        var sources = new SharedSources(share, NoDaemon, TimeProvider.System);
        SharedPlace first = One(sources, "volume"), second = One(sources, "other");

        Assert.Equal(first.Path, second.Path);
        sources.Release([first]);
        Assert.True(File.Exists(Path.Combine(share.Path, second.Path, "sub/file")));
        sources.Release([second]);
        Assert.Empty(Directory.GetFileSystemEntries(share.Path));
    });

    [Fact]
    public void Acquire_InsideOfAnother_IsServedFromThere() => InNamespace(share =>
    {
        var sources = new SharedSources(share, NoDaemon, TimeProvider.System);
        SharedPlace whole = One(sources, "volume");

        Assert.Equal($"{whole.Path}/sub", One(sources, "volume/sub").Path);
        Assert.Equal($"{whole.Path}/sub/file", One(sources, "volume/sub/file").Path);
        Assert.Empty(One(sources, "volume").Within);
    });

    [Fact]
    public void Acquire_AroundWhatIsShared_HasItMountedAgain() => InNamespace(share =>
    {
        var sources = new SharedSources(share, NoDaemon, TimeProvider.System);
        SharedPlace deep = One(sources, "volume/sub/deep"), file = One(sources, "volume/sub/file");
        SharedPlace whole = One(sources, "volume");

        Assert.Equal(
            [("sub/deep", deep.Path), ("sub/file", file.Path)], whole.Within.Select(static item => (item.Place, item.Shared.Path)));
        sources.Release([deep, file]);
        Assert.True(Directory.Exists(Path.Combine(share.Path, deep.Path)), "it is the larger one's too");
        Assert.Equal(deep.Path, One(sources, "volume/sub/deep").Path);
    });

    [Fact]
    public void Acquire_TwoOfOneContainer_TheLargerServesBoth() => InNamespace(share =>
    {
        var sources = new SharedSources(share, NoDaemon, TimeProvider.System);
        IReadOnlyList<SharedPlace> places = sources.Acquire([(Open("volume/sub"), true), (Open("volume"), true)]);

        Assert.Equal($"{places[1].Path}/sub", places[0].Path);
        Assert.Empty(places[1].Within);
    });

    [Fact]
    public void Acquire_WritableInsideOfReadOnly_DoesNotOpenTheLargerOne() => InNamespace(share =>
    {
        var sources = new SharedSources(share, NoDaemon, TimeProvider.System);
        SharedPlace whole = One(sources, "volume", writable: false), part = One(sources, "volume/sub");

        Assert.NotEqual($"{whole.Path}/sub", part.Path);
        File.WriteAllText(Path.Combine(share.Path, part.Path, "made"), "");
        Assert.Throws<IOException>(() => File.WriteAllText(Path.Combine(share.Path, whole.Path, "sub/made"), ""));
        Assert.Equal(
            [("sub", part.Path)], One(sources, "volume", writable: false).Within.Select(static item => (item.Place, item.Shared.Path)));
    });

    [Fact]
    public void Acquire_PathThatWasReplaced_IsAnother() => InNamespace(share =>
    {
        var sources = new SharedSources(share, NoDaemon, TimeProvider.System);
        SharedPlace before = One(sources, "volume/sub");
        Directory.Move(Combine("volume/sub"), Combine("volume/old"));
        Directory.CreateDirectory(Combine("volume/sub"));

        SharedPlace after = One(sources, "volume/sub");
        Assert.NotEqual(before.Path, after.Path);
        Assert.Equal([("sub", after.Path)], One(sources, "volume").Within.Select(static item => (item.Place, item.Shared.Path)));
    });

    [Fact]
    public void Open_PlainAndRecursive_LeaveOutOrBringWhatIsMountedBelow() => InNamespace(_ =>
    {
        Mount("t", "volume/sub", "tmpfs");
        Directory.CreateDirectory(Combine("volume/sub/deep"));
        Bind("other", "volume/sub/deep");
        File.WriteAllText(Combine("volume/sub/secret"), "");

        IReadOnlyList<HostSource> plain = HostMounts.Open(Combine("volume"), recursive: false, [], _here);
        IReadOnlyList<HostSource> whole = HostMounts.Open(Combine("volume"), recursive: true, [], _here);

        Assert.Equal([""], plain.Select(static source => source.Place));
        Assert.Equal(["", "sub", "sub/deep"], whole.Select(static source => source.Place));
        Assert.Equal("", plain[0].Key.PathTo(whole[0].Key));
        Assert.Equal("", whole[2].Key.PathTo(HostMounts.Open(Combine("other"), recursive: false, [], _here)[0].Key));
        Mount("t", "volume/sub", "tmpfs"); // hides both
        Assert.Equal(["", "sub"], HostMounts.Open(Combine("volume"), recursive: true, [], _here).Select(static source => source.Place));
    });

    [Fact]
    public void Open_ReadOnlyMount_SaysSo() => InNamespace(_ =>
    {
        Bind("volume", "other");
        LinuxException.ThrowIfNegative(
            LibC.mount(null, Combine("other"), null, MountFlags.MS_REMOUNT | MountFlags.MS_BIND | MountFlags.MS_RDONLY, null),
            "mount",
            "test");

        Assert.True(Open("other").ReadOnly);
        Assert.False(Open("volume").ReadOnly);
    });

    /// <summary>A guest closes a file some moments after its last user: until then its mount cannot become read-only.</summary>
    [Fact]
    public void Release_LastWriterHasAFileOpen_IsReadOnlySoonAfterTheEnd() => InNamespace(share =>
    {
        Assert.SkipUnless(Harness.RootFileSystem.Busybox is not null, "needs busybox (Debian: apt-get install busybox-static)");
        File.Copy(Harness.RootFileSystem.Busybox!, Combine("volume/busybox"));
        int daemon = 0;
        var sources = new SharedSources(share, () => daemon, TimeProvider.System);
        SharedPlace writer = One(sources, "volume"), reader = One(sources, "volume", writable: false);
        ChildProcess server = Serve(share, $"/{writer.Path}/busybox");
        daemon = server.Pid;
        string file = $"/proc/{daemon}/root/{writer.Path}/sub/file";
        try
        {
            using (Open())
            {
                sources.Release([writer]);
                Open().Dispose(); // it is as it was
            }

            Assert.True(SpinWait.SpinUntil(() => !CanOpen(), TimeSpan.FromSeconds(20)), "it is still writable");
            Assert.True(File.Exists(file));
            sources.Release([reader]);
        }
        finally
        {
            server.Kill(Signals.SIGKILL);
        }

        FileStream Open() => new(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);

        bool CanOpen()
        {
            try
            {
                Open().Dispose();
                return true;
            }
            catch (IOException)
            {
                return false;
            }
        }
    });

    // As virtiofsd does: a mount namespace of its own, whose root is the share.
    private ChildProcess Serve(SharedDirectory share, string program)
    {
        using PreparedSpawn spawn =
            PreparedSpawn.Prepare(new SpawnOptions { Path = program, Arguments = ["sleep", "1000"], Environment = [] });
        return ChildProcess.Adopt(NamespaceThread.Run(() =>
        {
            LinuxException.ThrowIfNegative(LibC.unshare(LibC.CLONE_FS), "unshare", "test");
            LinuxException.ThrowIfNegative(LibC.setns(_here!, LibC.CLONE_NEWNS), "setns", "test");
            LinuxException.ThrowIfNegative(LibC.unshare(LibC.CLONE_NEWNS), "unshare", "test");
            LinuxException.ThrowIfNegative(LibC.mount(null, "/", null, MountFlags.MS_REC | MountFlags.MS_SLAVE, null), "mount", "test");
            RootDirectory.Enter(share.Path);
            return spawn.Launch();
        }));
    }

    [Fact]
    public void Open_MountOfAnotherNamespace_ComesIn()
    {
        using SafeFileDescriptor other = NamespaceThread.Run(() =>
        {
            LeaveNamespace();
            Mount("t", "other", "tmpfs");
            File.WriteAllText(Combine("other/inside"), "there");
            return LinuxException.ThrowIfInvalid(LibC.open("/proc/thread-self/ns/mnt", LibC.O_CLOEXEC, 0), "open", "test");
        });
        InNamespace(share =>
        {
            HostSource source = HostMounts.Open(Combine("other"), recursive: true, [], other)[0];
            SharedPlace place = Assert.Single(new SharedSources(share, NoDaemon, TimeProvider.System).Acquire([(source, true)]));

            Assert.False(File.Exists(Combine("other/inside")));
            Assert.Equal("there", File.ReadAllText(Path.Combine(share.Path, place.Path, "inside")));
        });
    }

    private static int NoDaemon() => throw new InvalidOperationException("nothing here changes what the host lets the guest do");

    private static void LeaveNamespace()
    {
        LinuxException.ThrowIfNegative(LibC.unshare(LibC.CLONE_NEWNS), "unshare", "test");
        LinuxException.ThrowIfNegative(LibC.mount(null, "/", null, MountFlags.MS_REC | MountFlags.MS_PRIVATE, null), "mount", "test");
    }

    private void InNamespace(Action<SharedDirectory> test) => NamespaceThread.Run(() =>
    {
        LinuxException.ThrowIfNegative(LibC.unshare(LibC.CLONE_FS), "unshare", "test");
        LeaveNamespace();
        using SafeFileDescriptor here = LinuxException.ThrowIfInvalid(
            LibC.open("/proc/thread-self/ns/mnt", LibC.O_CLOEXEC, 0), "open", "test");
        _here = here;
        using SharedDirectory share = SharedDirectory.Create(Combine("shared"));
        test(share);
        return true;
    });

    private SafeFileDescriptor? _here;

    private SharedPlace One(SharedSources sources, string name, bool writable = true) =>
        Assert.Single(sources.Acquire([(Open(name), writable)]));

    // The product opens on a thread of its own, which is in the process's namespace unless it is told another.
    private HostSource Open(string name) => HostMounts.Open(Combine(name), recursive: false, [], _here)[0];

    private void Bind(string source, string target) =>
        LinuxException.ThrowIfNegative(LibC.mount(Combine(source), Combine(target), null, MountFlags.MS_BIND, null), "mount", "test");

    private void Mount(string source, string target, string type) =>
        LinuxException.ThrowIfNegative(LibC.mount(source, Combine(target), type, MountFlags.None, "mode=755"), "mount", "test");

    private string Combine(string name) => Path.Combine(_directory.FullName, name);
}
