using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Testing;

namespace Kata.Network.Tests;

/// <summary>Network namespaces by the files that stand for them.</summary>
public sealed class NetworkNamespaceTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Open_Namespace_IsThatOne()
    {
        using TestNetwork network = TestNetwork.Create();
        network.AddPair("v0", "v1");
        using NetworkNamespace space = Pod.Open(network);
        Assert.Contains(space.Netlink.Links.List(), static link => link.Name == "v0");
        Assert.Contains(HostNetwork.Read(space).Links, static link => link.Name == "v1");
        Assert.Contains("v0", space.Run(static () => File.ReadAllText("/proc/thread-self/net/dev")));
        Assert.False(space.IsOurs);

        using NetworkNamespace again = Pod.Open(network);
        Assert.Equal(space.Inode, again.Inode);
    }

    [Fact]
    public void Open_Own_IsOurs()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, to enter a network namespace");
        using NetworkNamespace space = NetworkNamespace.Open("/proc/self/ns/net", mountNamespace: null);
        Assert.True(space.IsOurs);
    }

    [Fact]
    public void Open_MountNamespaceGiven_LooksThere()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, to enter namespaces");
        using SafeFileDescriptor mounts = LinuxException.ThrowIfInvalid(
            LibC.open("/proc/self/ns/mnt", LibC.O_RDONLY | LibC.O_CLOEXEC, 0), "open", "open the own mount namespace");
        using NetworkNamespace space = NetworkNamespace.Open("/proc/self/ns/net", mounts);
        Assert.True(space.IsOurs);
    }

    [Fact]
    public void Open_NothingThere_IsRefusedWithThePath()
    {
        NetworkException error = Refusal(_directory.File("nothing"));
        Assert.StartsWith($"Cannot use '{_directory.File("nothing")}' as the pod's network: ", error.Message);
        Assert.EndsWith("(ENOENT)", error.Message);
    }

    [Fact]
    public void Open_Directory_IsRefusedWithWhatToDo() => AssertIsNone(_directory.Path);

    [Fact]
    public void Open_File_IsRefusedWithWhatToDo()
    {
        File.WriteAllText(_directory.File("file"), "");
        AssertIsNone(_directory.File("file"));
    }

    // A namespace's name of which only the file is left, as after a restart of the host, is such a file.
    [Theory]
    [InlineData("/proc/self/ns/mnt")]
    [InlineData("/proc/self/ns/uts")]
    [InlineData("/dev/null")]
    public void Open_SomethingElse_IsRefusedWithWhatToDo(string path) => AssertIsNone(path);

    // It would wait for a writer.
    [Fact]
    public async Task Open_Pipe_IsRefusedAtOnce()
    {
        string path = _directory.File("pipe");
        Assert.Equal(0, LibC.mkfifo(path, 0x180));
        await Task.Run(() => AssertIsNone(path)).Within();
    }

    private static void AssertIsNone(string path) => Assert.Equal(
        $"Cannot use '{path}' as the pod's network: it is no network namespace. Name one, as /run/netns/NAME or /proc/PID/ns/net",
        Refusal(path).Message);

    private static NetworkException Refusal(string path) =>
        Assert.Throws<NetworkException>(() => NetworkNamespace.Open(path, mountNamespace: null));
}
