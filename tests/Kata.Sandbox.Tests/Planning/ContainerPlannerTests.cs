using Kata.Agent.Protocol;
using Kata.Oci;
using Kata.Testing;
using GuestMount = Kata.Agent.Protocol.Oci.Mount;

namespace Kata.Sandbox.Tests;

public sealed class ContainerPlannerTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public ContainerPlannerTests() => Directory.CreateDirectory(_directory.File("rootfs"));

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("proc")]
    [InlineData("sysfs")]
    [InlineData("tmpfs")]
    [InlineData("devpts")]
    [InlineData("mqueue")]
    [InlineData("cgroup")]
    [InlineData("cgroup2")]
    public void Plan_TypeOfTheGuest_IsPassedAsItIs(string type)
    {
        ContainerPlan plan = Plan($$"""{"destination":"/m","type":"{{type}}","source":"src","options":["nosuid","ro"]}""");
        Assert.Equal(Mount("/m", type, "src", "nosuid", "ro"), Assert.Single(plan.GuestSpec.Mounts));
        Assert.Single(plan.SharedMounts); // the root alone
    }

    [Fact]
    public void Plan_TypeOfTheGuestWithoutSource_SourceIsTheType() =>
        Assert.Equal("tmpfs", Assert.Single(Plan("""{"destination":"/m","type":"tmpfs"}""").GuestSpec.Mounts).Source);

    [Theory]
    [InlineData("""{"destination":"/m","type":"bind","source":"/host/dir","options":["rbind","ro"]}""", "/host/dir", true)]
    [InlineData("""{"destination":"/m","type":"bind","source":"/host/file","options":["rw"]}""", "/host/file", false)]
    [InlineData("""{"destination":"/m","type":"none","source":"/host/dir","options":["bind","rro"]}""", "/host/dir", true)]
    [InlineData("""{"destination":"/m","source":"/host/dir","options":["rbind"]}""", "/host/dir", false)]
    public void Plan_BindMount_IsSharedAndBoundInTheGuest(string mount, string host, bool readOnly)
    {
        ContainerPlan plan = Plan(mount);
        Assert.Equal(new SharedMount(host, "c1/mounts/0", readOnly), plan.SharedMounts[1]);
        GuestMount guest = Assert.Single(plan.GuestSpec.Mounts);
        Assert.Equal(("/m", "bind", "/run/kata-containers/shared/containers/c1/mounts/0"), (guest.Destination, guest.Type, guest.Source));
    }

    [Fact]
    public void Plan_RelativeSource_IsBelowTheBundle()
    {
        ContainerPlan plan = Plan("""{"destination":"/m","type":"bind","source":"data/x"}""");
        Assert.Equal(_directory.File("data/x"), plan.SharedMounts[1].HostPath);
    }

    [Fact]
    public void Plan_SeveralMounts_KeepTheirOrderAndNumbers()
    {
        ContainerPlan plan = Plan(
            """{"destination":"/proc","type":"proc"},{"destination":"/a","type":"bind","source":"/1"},{"destination":"/t","type":"tmpfs"},{"destination":"/a/b","type":"bind","source":"/2"}""");
        Assert.Equal(["c1/rootfs", "c1/mounts/1", "c1/mounts/3"], plan.SharedMounts.Select(static mount => mount.Target));
        Assert.Equal(["/proc", "/a", "/t", "/a/b"], plan.GuestSpec.Mounts.Select(static mount => mount.Destination));
    }

    [Theory]
    [InlineData("""{"destination":"/dev/shm","type":"bind","source":"/var/shm","options":["rbind","rw"]}""", "/dev/shm")]
    [InlineData("""{"destination":"/dev/shm/","type":"bind","source":"/var/shm"}""", "/dev/shm/")]
    [InlineData("""{"destination":"/m","type":"bind","source":"/dev/shm"}""", "/m")]
    public void Plan_SharedMemory_IsTheGuestsOwn(string mount, string destination)
    {
        ContainerPlan plan = Plan(mount);
        Assert.Equal(Mount(destination, "tmpfs", "shm", "nosuid", "nodev", "noexec", "mode=1777"), Assert.Single(plan.GuestSpec.Mounts));
        Assert.Single(plan.SharedMounts);
    }

    [Theory]
    [InlineData("""{"destination":"/m","type":"nfs","source":"h:/x"}""", "/mounts/0/type", "Use a bind mount")]
    [InlineData("""{"destination":"/m","type":"overlay","source":"overlay"}""", "/mounts/0/type", "Use a bind mount")]
    [InlineData("""{"destination":"/m"}""", "/mounts/0/type", "Use a bind mount")]
    [InlineData("""{"destination":"/m","type":"bind"}""", "/mounts/0/source", "Name a host file or directory")]
    [InlineData("""{"destination":"/m","type":"bind","source":""}""", "/mounts/0/source", "Name a host file or directory")]
    [InlineData("""{"destination":"/m","type":"bind","source":"/missing"}""", "/mounts/0/source", "Create it")]
    [InlineData("""{"destination":"/m","type":"bind","source":"/special"}""", "/mounts/0/source", "devices and sockets cannot be shared")]
    public void Plan_ImpossibleMount_IsRefusedWithARemedy(string mount, string field, string remedy)
    {
        InvalidSpecException error = Assert.Throws<InvalidSpecException>(() => Plan(mount));
        Assert.Equal(field, error.Field);
        Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("false", false)]
    public void Plan_ReadOnlyRoot_IsReadOnlyOnTheHostToo(string json, bool expected)
    {
        ContainerPlan plan = PlanSpec($$"""{"ociVersion":"1.0.2","process":{"cwd":"/","args":["x"]},"root":{"path":"rootfs","readonly":{{json}} },"mounts":[{"destination":"/proc","type":"proc"}]}""");
        SharedMount root = plan.SharedMounts[0];
        Assert.Equal((_directory.File("rootfs"), "c1/rootfs", expected), (root.HostPath, root.Target, root.ReadOnly));
        Assert.Equal(expected ? [new MountPoint("/proc", true)] : [], root.MountPoints);
        Assert.Equal(expected, plan.GuestSpec.Root.Readonly);
    }

    [Fact]
    public void Plan_Hooks_OnlyStartContainerGoesToTheGuest()
    {
        ContainerPlan plan = PlanSpec(
            """
            {"ociVersion":"1.0.2","process":{"cwd":"/","args":["x"]},"root":{"path":"rootfs"},
             "hooks":{"prestart":[{"path":"/bin/a"}],"startContainer":[{"path":"/bin/b","args":["b","c"],"env":["D=e"],"timeout":7}]}}
            """);
        Assert.Empty(plan.Warnings);
        Assert.Empty(plan.GuestSpec.Hooks.Prestart);
        Kata.Agent.Protocol.Oci.Hook hook = Assert.Single(plan.GuestSpec.Hooks.StartContainer);
        Assert.Equal(("/bin/b", 7), (hook.Path, hook.Timeout));
        Assert.Equal(["b", "c"], hook.Args);
        Assert.Equal(["D=e"], hook.Env);
    }

    [Theory]
    [InlineData("alice", "alice", "")]
    [InlineData("alice:staff", "alice", "staff")]
    [InlineData("1000:staff", "1000", "staff")]
    [InlineData("a:b:c", "a", "b:c")]
    public void NamedUser_Names_AreLeftToTheGuest(string name, string user, string group)
    {
        StringUser named = ContainerPlanner.NamedUser(new UserSpec { Username = name, AdditionalGids = [4, 5] })!;
        Assert.Equal((user, group), (named.Uid, named.Gid));
        Assert.Equal(["4", "5"], named.AdditionalGids);
    }

    [Fact]
    public void NamedUser_NumbersOnly_IsNull()
    {
        Assert.Null(ContainerPlanner.NamedUser(null));
        Assert.Null(ContainerPlanner.NamedUser(new UserSpec { Uid = 5 }));
        Assert.Null(ContainerPlanner.NamedUser(new UserSpec { Username = "" }));
    }

    private static GuestMount Mount(string destination, string type, string source, params string[] options) =>
        new() { Destination = destination, Type = type, Source = source, Options = { options } };

    [Fact]
    public void Plan_ShmOfAnEngine_KeepsItsSize()
    {
        ContainerPlan plan = Plan("""{"destination":"/dev/shm","type":"bind","source":"/engine/shm","options":["rbind","rw"]}""");
        Assert.Equal(Mount("/dev/shm", "tmpfs", "shm", "nosuid", "nodev", "noexec", "mode=1777", "size=8388608"), Assert.Single(plan.GuestSpec.Mounts));
    }

    [Fact]
    public void Plan_ShmOfThePod_IsShared()
    {
        const string Mounts = """{"destination":"/dev/shm/","type":"bind","source":"/engine/shm","options":["rbind","ro"]}""";
        _ = Plan(Mounts);
        SharedMemory memory = SharedMemory.Of(Bundle.Load(_directory.Path), new FakeHostFiles())!;
        Assert.Equal(new SharedMemory("/engine/shm", 8 << 20), memory);
        Assert.Equal(
            new Agent.Protocol.Storage { Driver = "ephemeral", Source = "shm", Fstype = "tmpfs", MountPoint = GuestPaths.SharedMemory, Options = { "nosuid", "nodev", "noexec", "mode=1777", "size=8388608" } },
            memory.ToStorage());
        Assert.Equal(Mount("/dev/shm/", "bind", GuestPaths.SharedMemory, "rbind", "ro"), Assert.Single(Plan(Mounts, memory).GuestSpec.Mounts));
        Assert.Equal("tmpfs", Assert.Single(Plan(Mounts.Replace("engine", "other", StringComparison.Ordinal), memory).GuestSpec.Mounts).Type);
    }

    [Theory]
    [InlineData("""{"destination":"/dev/shm","type":"tmpfs","source":"shm"}""")]
    [InlineData("""{"destination":"/m","type":"bind","source":"/engine/shm"}""")]
    public void SharedMemory_OfNoMountOfTheHost_IsNone(string mount)
    {
        _ = Plan(mount);
        Assert.Null(SharedMemory.Of(Bundle.Load(_directory.Path), new FakeHostFiles()));
    }

    private ContainerPlan Plan(string mounts, SharedMemory? memory = null) =>
        PlanSpec($$"""{"ociVersion":"1.0.2","process":{"cwd":"/","args":["x"]},"root":{"path":"rootfs"},"mounts":[{{mounts}}]}""", memory);

    private ContainerPlan PlanSpec(string config, SharedMemory? memory = null)
    {
        File.WriteAllText(_directory.File("config.json"), config);
        return ContainerPlanner.Plan(ContainerId.Parse("c1"), Bundle.Load(_directory.Path), guestSeccomp: true, new FakeHostFiles(), static pid => pid == 77 ? ContainerId.Parse("first") : null, memory);
    }

    private sealed class FakeHostFiles : IHostFiles
    {
        public HostFileKind KindOf(string path) => path switch
        {
            "/missing" => HostFileKind.Missing,
            "/special" => HostFileKind.Special,
            "/host/file" => HostFileKind.RegularFile,
            _ => HostFileKind.Directory,
        };

        public long? TmpfsSize(string path) => path is "/engine/shm" or "/dev/shm" ? 8 << 20 : null;
    }
}
