using Kata.Agent.Containers;
using Kata.Agent.Protocol.Oci;

namespace Kata.Agent.Tests;

public sealed class ContainerFilesTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("kata-agent-test").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("/etc/group", "/root", "/etc/group")]
    [InlineData("/etc/passwd", "/share", "passwd")]
    [InlineData("/data/x/y", "/volume", "/x/y")]
    [InlineData("/database", "/root", "/database")]
    [InlineData("/tmp/x", null, null)]
    [InlineData("/deep/er/x", "/last", "/er/x")]
    public void Locate_Mounts_TheLastThatCoversThePathShows(string path, string? directory, string? below)
    {
        var spec = new Spec { Root = new Root { Path = "/root" } };
        spec.Mounts.Add(
        [
            new Mount { Destination = "/etc/passwd", Type = "bind", Source = "/share/passwd" },
            new Mount { Destination = "/data/", Type = "bind", Source = "/volume" },
            new Mount { Destination = "/tmp", Type = "tmpfs", Source = "tmpfs" },
            new Mount { Destination = "/deep/er", Type = "bind", Source = "/first" },
            new Mount { Destination = "/deep", Type = "bind", Source = "/last" },
        ]);
        (string Directory, string Path)? place = ContainerFiles.Planned(spec).Locate(path);
        Assert.Equal((directory, below), (place?.Directory, place?.Path));
    }

    [Fact]
    public void IsProgram_OnlyFilesThatSomebodyMayExecute()
    {
        Directory.CreateDirectory(Path.Combine(_root, "bin/directory"));
        Add("plain", UnixFileMode.UserRead);
        Add("program", UnixFileMode.UserRead | UnixFileMode.OtherExecute);
        File.CreateSymbolicLink(Path.Combine(_root, "bin/out"), "/../bin/program");
        ContainerFiles files = ContainerFiles.Planned(new Spec { Root = new Root { Path = _root } });
        Assert.Equal(
            ["program", "out"],
            new[] { "missing", "directory", "plain", "program", "out" }.Where(name => files.IsProgram($"/bin/{name}")));
    }

    [Theory]
    [InlineData("/proc", true)]
    [InlineData("/dev/shm", true)]
    [InlineData("/dev", false)]
    [InlineData("/dev/", false)]
    public void MakeDeviceDirectory_NothingIsMountedThere_MakesIt(string mounted, bool expected)
    {
        var spec = new Spec { Root = new Root { Path = _root }, Mounts = { new Mount { Destination = mounted, Type = "tmpfs" } } };
        ContainerFiles.Planned(spec).MakeDeviceDirectory();
        ContainerFiles.Planned(spec).MakeDeviceDirectory(); // it is there
        Assert.Equal(expected ? [Path.Combine(_root, "dev")] : [], Directory.GetFileSystemEntries(_root));
    }

    /// <summary>The links are the image's.</summary>
    [Fact]
    public void MakeDeviceDirectory_ALinkIsThere_MakesNothingElsewhere()
    {
        string root = Directory.CreateDirectory(Path.Combine(_root, "root")).FullName;
        File.CreateSymbolicLink(Path.Combine(root, "dev"), Path.Combine(_root, "outside"));
        ContainerFiles.Planned(new Spec { Root = new Root { Path = root } }).MakeDeviceDirectory();
        Assert.Equal([root], Directory.GetFileSystemEntries(_root));
        Assert.Single(Directory.GetFileSystemEntries(root));
    }

    [Fact]
    public void MakeDeviceDirectory_NoRoot_IsCrunsToRefuse() =>
        ContainerFiles.Planned(new Spec { Root = new Root { Path = Path.Combine(_root, "none") } }).MakeDeviceDirectory();

    [Fact]
    public void ReadText_NoRoot_IsNothing() =>
        Assert.Null(
            ContainerFiles.Planned(new Spec { Root = new Root { Path = Path.Combine(_root, "none") } }).ReadText("/etc/passwd", 100));

    [Fact]
    public void ReadText_OfALivingProcess_IsThroughItsRoot() =>
        Assert.Equal(File.ReadAllText("/etc/passwd"), ContainerFiles.Of(Environment.ProcessId).ReadText("/etc/passwd", 1 << 20));

    [Fact]
    public void FindProgram_NameWithADot_IsLookedUpInPath()
    {
        Directory.CreateDirectory(Path.Combine(_root, "bin"));
        Add(".hidden", UnixFileMode.UserRead | UnixFileMode.UserExecute);
        ContainerFiles files = ContainerFiles.Planned(new Spec { Root = new Root { Path = _root } });
        Assert.Equal("/bin/.hidden", Find(".hidden", "PATH=/none:relative::/bin", files));
        Assert.Equal("./x", Find("./x", "PATH=/bin", files));
        Assert.Equal("hidden", Find("hidden", "PATH=/bin", files));
        foreach (string name in new[] { ".", "..", ".none" })
        {
            var error = Assert.Throws<Grpc.Core.RpcException>(() => Find(name, "PATH=/bin", files));
            Assert.Equal($"exec: \"{name}\": executable file not found in $PATH", error.Status.Detail);
        }
    }

    [Theory]
    [InlineData("A=1", "A=1 HOME=/root")]
    [InlineData("", "HOME=/root")]
    [InlineData("HOME=/x A=1", "HOME=/x A=1")]
    [InlineData("HOME= A=1", "A=1 HOME=/root")]
    [InlineData("HOME=/x HOME=", "HOME=/root")]
    [InlineData("HOMER=1", "HOMER=1 HOME=/root")]
    public void SetHome_NotGiven_IsThatOfThePasswd(string given, string expected)
    {
        var process = new Process();
        process.Env.Add(given.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        ProcessPreparation.SetHome(process, new UserDatabase("root:x:0:0::/root:/bin/sh", ""));
        Assert.Equal(expected, string.Join(' ', process.Env));
    }

    private static string Find(string name, string path, ContainerFiles files)
    {
        var process = new Process();
        process.Args.Add(name);
        process.Env.Add(path);
        ProcessPreparation.FindProgram(process, files);
        return process.Args[0];
    }

    private void Add(string name, UnixFileMode mode)
    {
        string path = Path.Combine(_root, $"bin/{name}");
        Directory.CreateDirectory(Path.Combine(_root, "bin"));
        File.WriteAllText(path, "");
        File.SetUnixFileMode(path, mode);
    }
}
