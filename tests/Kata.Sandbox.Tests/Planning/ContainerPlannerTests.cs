using Kata.Linux;
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
        Assert.Equal(
            new PlannedMount(Mount("/m", type, "src", "nosuid", "ro"), IsDirectory: true, Shared: null), Assert.Single(plan.Mounts));
    }

    [Fact]
    public void Plan_TypeOfTheGuestWithoutSource_SourceIsTheType() =>
        Assert.Equal("tmpfs", Assert.Single(Plan("""{"destination":"/m","type":"tmpfs"}""").Mounts).Guest.Source);

    [Theory]
    [InlineData("""{"destination":"/m","type":"bind","source":"/host/dir","options":["rbind","ro"]}""", "/host/dir", true, true)]
    [InlineData("""{"destination":"/m","type":"bind","source":"/host/file","options":["bind","rw"]}""", "/host/file", false, false)]
    [InlineData("""{"destination":"/m","type":"none","source":"/host/dir","options":["bind","rro"]}""", "/host/dir", true, false)]
    [InlineData("""{"destination":"/m","source":"/host/dir","options":["rbind"]}""", "/host/dir", false, true)]
    public void Plan_BindMount_IsSharedAndBoundInTheGuest(string mount, string host, bool readOnly, bool recursive)
    {
        PlannedMount planned = Assert.Single(Plan(mount).Mounts);
        Assert.Equal(new SharedMount(host, readOnly) { Recursive = recursive }, planned.Shared);
        Assert.Equal(("/m", "bind", ""), (planned.Guest.Destination, planned.Guest.Type, planned.Guest.Source));
    }

    [Theory]
    [InlineData("""["lowerdir=/a:/b","upperdir=/u","workdir=/w","private","userxattr"]""", false)]
    [InlineData("""["lowerdir=/a:/b","userxattr","ro","private"]""", true)]
    [InlineData("""["lowerdir=/a:/b","private","userxattr"]""", true)]
    public void Plan_Overlay_IsMountedOnTheHostAndShared(string options, bool readOnly)
    {
        PlannedMount planned = Assert.Single(
            Plan($$"""{"destination":"/m","type":"overlay","source":"overlay","options":{{options}}}""").Mounts);
        FileSystemMount mount = Assert.Single(planned.Shared!.Mounts);
        Assert.Equal((_directory.Path, readOnly, false), (planned.Shared.HostPath, planned.Shared.ReadOnly, planned.Shared.Recursive));
        Assert.Equal(("overlay", ""), (mount.Type, mount.Target));
        Assert.Contains("lowerdir=/a:/b", mount.Options);
        Assert.Contains("userxattr", mount.Options);
        Assert.DoesNotContain("private", mount.Options);
        Assert.Equal("bind", planned.Guest.Type);
        Assert.Contains("private", planned.Guest.Options);
        Assert.DoesNotContain("userxattr", planned.Guest.Options);
    }

    [Fact]
    public void Plan_RelativeSource_IsBelowTheBundle()
    {
        ContainerPlan plan = Plan("""{"destination":"/m","type":"bind","source":"data/x"}""");
        Assert.Equal(_directory.File("data/x"), Assert.Single(plan.Mounts).Shared!.HostPath);
    }

    [Fact]
    public void Plan_SeveralMounts_KeepTheirOrder()
    {
        ContainerPlan plan = Plan(
            """
            {"destination":"/proc","type":"proc"},{"destination":"/a","type":"bind","source":"/1"},
            {"destination":"/t","type":"tmpfs"},{"destination":"/a/b","type":"bind","source":"/2"}
            """);
        Assert.Equal(["/proc", "/a", "/t", "/a/b"], plan.Mounts.Select(static mount => mount.Guest.Destination));
        Assert.Equal([null, "/1", null, "/2"], plan.Mounts.Select(static mount => mount.Shared?.HostPath));
    }

    [Theory]
    [InlineData("""{"destination":"/dev/shm","type":"bind","source":"/var/shm","options":["rbind","rw"]}""", "/dev/shm")]
    [InlineData("""{"destination":"/dev/shm/","type":"bind","source":"/var/shm"}""", "/dev/shm/")]
    [InlineData("""{"destination":"/m","type":"bind","source":"/dev/shm"}""", "/m")]
    public void Plan_SharedMemory_IsTheGuestsOwn(string mount, string destination)
    {
        ContainerPlan plan = Plan(mount);
        Assert.Equal(Mount(destination, "tmpfs", "shm", "nosuid", "nodev", "noexec", "mode=1777"), Assert.Single(plan.Mounts).Guest);
        Assert.Null(Assert.Single(plan.Mounts).Shared);
    }

    [Theory]
    [InlineData("""{"destination":"/m","type":"nfs","source":"h:/x"}""", "/mounts/0/type", "Use a bind mount")]
    [InlineData("""{"destination":"/m"}""", "/mounts/0/type", "Use a bind mount")]
    [InlineData("""{"destination":"/m","type":"bind"}""", "/mounts/0/source", "Name a host file or directory")]
    [InlineData("""{"destination":"/m","type":"bind","source":""}""", "/mounts/0/source", "Name a host file or directory")]
    [InlineData("""{"destination":"/m","type":"bind","source":"/missing"}""", "/mounts/0/source", "Create it")]
    [InlineData("""{"destination":"/m","type":"bind","source":"/special"}""", "/mounts/0/source", "devices and sockets cannot be shared")]
    [InlineData("""{"destination":"/m","type":"bind","source":"/block"}""", "/mounts/0/source", "devices and sockets cannot be shared")]
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
        ContainerPlan plan = PlanSpec(
            $$"""
            {"ociVersion":"1.0.2","process":{"cwd":"/","args":["x"]},"root":{"path":"rootfs","readonly":{{json}} },
             "mounts":[{"destination":"/proc","type":"proc"}]}
            """);
        Assert.Equal(new SharedRoot(new SharedMount(_directory.File("rootfs"), expected)), plan.Root);
        Assert.Equal(expected, plan.GuestSpec.Root.Readonly);
    }

    /// <summary>Nodes can be made in a disk before it becomes read-only, but not in a read-only disk.</summary>
    [Theory]
    [InlineData("rw", 0)]
    [InlineData("ro", 1)]
    public void Plan_ReadOnlyRootOnADisk_HasADevOfItsOwnOnlyWhereNoNodesCanBeMade(string option, int mounts)
    {
        ContainerPlan plan = PlanSpec(
            """{"ociVersion":"1.0.2","process":{"cwd":"/","args":["x"]},"root":{"path":"rootfs","readonly":true}}""",
            rootFs: new RootRequest([new FileSystemMount("ext4", "/block", "", [option])], TakesDisks: true));
        Assert.Equal(mounts, plan.Mounts.Count);
        Assert.All(plan.Mounts, static mount => Assert.Equal("/dev", mount.Guest.Destination));
        Assert.True(plan.GuestSpec.Root.Readonly);
        Assert.Equal(option == "ro", Assert.IsType<BlockRoot>(plan.Root).ReadOnly);
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

    [Fact]
    public void Plan_UserNameOfTheSpecification_ChangesNothing()
    {
        ContainerPlan plan = PlanSpec(
            """
            {"ociVersion":"1.0.2","process":{"cwd":"/","args":["x"],"user":{"uid":5,"gid":6,"username":"root"}},"root":{"path":"rootfs"}}
            """);
        Assert.Equal(
            (5u, 6u, ""), (plan.GuestSpec.Process.User.UID, plan.GuestSpec.Process.User.GID, plan.GuestSpec.Process.User.Username));
    }

    [Theory]
    [InlineData("", "host.example")]
    [InlineData("\"namespaces\":[{\"type\":\"pid\"}]", "host.example")]
    [InlineData("\"namespaces\":[{\"type\":\"uts\"}]", "")]
    [InlineData("\"namespaces\":[{\"type\":\"uts\",\"path\":\"/proc/77/ns/uts\"}]", "")]
    public void Plan_NoUtsNamespace_ShowsTheHostsName(string linux, string expected)
    {
        ContainerPlan plan = PlanSpec(
            $$$"""{"ociVersion":"1.0.2","process":{"cwd":"/","args":["x"]},"root":{"path":"rootfs"},"linux":{{{{linux}}}}}""");
        Assert.Equal(expected, plan.GuestSpec.Hostname);
        Assert.Contains("uts", plan.Extension.Namespaces.Keys);
        Assert.Contains(plan.GuestSpec.Linux.Namespaces, static space => space.Type == "uts");
    }

    [Fact]
    public void WithCallerLimits_Limits_AreOnlyInTheExtensionOfTheNewPlan()
    {
        ContainerPlan plan = Plan("");
        ContainerPlan limited = plan.WithCallerLimits([new Kata.Linux.ResourceLimit("RLIMIT_NOFILE", 5, 6)]);
        Assert.Empty(plan.Extension.Process.InheritedLimits);
        Assert.Empty(limited.GuestSpec.Process.Rlimits);
        Assert.Equal(
            new Kata.Agent.Protocol.Extension.InheritedLimit { Type = "RLIMIT_NOFILE", Soft = 5, Hard = 6 },
            Assert.Single(limited.Extension.Process.InheritedLimits));
    }

    private static GuestMount Mount(string destination, string type, string source, params string[] options) =>
        new() { Destination = destination, Type = type, Source = source, Options = { options } };

    [Fact]
    public void Plan_ShmOfAnEngine_KeepsItsSize()
    {
        ContainerPlan plan = Plan("""{"destination":"/dev/shm","type":"bind","source":"/engine/shm","options":["rbind","rw"]}""");
        Assert.Equal(
            Mount("/dev/shm", "tmpfs", "shm", "nosuid", "nodev", "noexec", "mode=1777", "size=8388608"), Assert.Single(plan.Mounts).Guest);
    }

    [Fact]
    public void Plan_ShmOfThePod_IsShared()
    {
        const string Mounts = """{"destination":"/dev/shm/","type":"bind","source":"/engine/shm","options":["rbind","ro"]}""";
        _ = Plan(Mounts);
        SharedMemory memory = SharedMemory.Of(Bundle.Load(_directory.Path), new FakeHostFiles())!;
        Assert.Equal(new SharedMemory("/engine/shm", 8 << 20), memory);
        Assert.Equal(
            new Agent.Protocol.Storage
            {
                Driver = "ephemeral",
                Source = "shm",
                Fstype = "tmpfs",
                MountPoint = GuestPaths.SharedMemory,
                Options = { "nosuid", "nodev", "noexec", "mode=1777", "size=8388608" },
            },
            memory.ToStorage());
        Assert.Equal(Mount("/dev/shm/", "bind", GuestPaths.SharedMemory, "rbind", "ro"), Assert.Single(Plan(Mounts, memory).Mounts).Guest);
        Assert.Equal("tmpfs", Assert.Single(Plan(Mounts.Replace("engine", "other", StringComparison.Ordinal), memory).Mounts).Guest.Type);
    }

    [Theory]
    [InlineData("""{"destination":"/dev/shm","type":"tmpfs","source":"shm"}""")]
    [InlineData("""{"destination":"/m","type":"bind","source":"/engine/shm"}""")]
    public void SharedMemory_OfNoMountOfTheHost_IsNone(string mount)
    {
        _ = Plan(mount);
        Assert.Null(SharedMemory.Of(Bundle.Load(_directory.Path), new FakeHostFiles()));
    }

    [Theory]
    [InlineData("/run/notify/notify.sock", "/run/notify", "/engine/notify", "/engine/notify/notify.sock")]
    [InlineData("/a/b", "/a/", "/special", null)]
    [InlineData("/a/special", "/a/", "/", "/special")]
    [InlineData("/a/special", "/b", "/", null)]
    [InlineData("special", "/", "/", null)]
    [InlineData("/special", "/", "/", null)]
    public void Plan_NotifySocketOfAnEngine_IsTheGuestsAndTheEnginesGetsWhatComes(
        string path, string destination, string source, string? host)
    {
        string config = $$"""
            {"ociVersion":"1.0.2","process":{"cwd":"/","args":["x"],"env":["NOTIFY_SOCKET={{path}}"]},"root":{"path":"rootfs"},
             "mounts":[{"destination":"{{destination}}","type":"bind","source":"{{source}}","options":["bind","rprivate"]}]}
            """;
        if (source == "/special")
        {
            Assert.Throws<InvalidSpecException>(() => PlanSpec(config)); // a socket itself stays refused
            return;
        }

        ContainerPlan plan = PlanSpec(config);
        Assert.Equal(host, plan.Notify?.HostPath);
        Assert.Equal(host is null ? "" : $"/run/kata-containers/notify/c1/{Path.GetFileName(path)}", plan.Extension.NotifySocket);
        PlannedMount mount = Assert.Single(plan.Mounts);
        Assert.Equal(host is not null, mount.Guest.Source == "/run/kata-containers/notify/c1");
        Assert.Equal(host is null, mount.Shared is not null);
    }

    [Theory]
    [InlineData(true, "/tmp", true)]
    [InlineData(true, "/dev/pts", true)] // is in it
    [InlineData(true, "/dev/", false)]
    [InlineData(false, "/tmp", false)]
    public void Plan_ReadOnlyRootWithoutDev_GetsOne(bool readOnly, string destination, bool added)
    {
        ContainerPlan plan = PlanSpec($$"""
            {"ociVersion":"1.0.2","process":{"cwd":"/","args":["x"]},"root":{"path":"rootfs","readonly":{{(readOnly ? "true" : "false")}}},
             "mounts":[{"destination":"{{destination}}","type":"tmpfs","source":"tmpfs"}]}
            """);
        Assert.Equal(added ? ["/dev", destination] : [destination], plan.Mounts.Select(static mount => mount.Guest.Destination));
    }

    [Fact]
    public void Plan_NotifySocketOfTheCaller_IsWhereRuncPutsIt()
    {
        ContainerPlan plan = PlanSpec(
            """{"ociVersion":"1.0.2","process":{"cwd":"/","args":["x"]},"root":{"path":"rootfs","readonly":true}}""",
            notifyPath: "/run/kata/c1/c1.notify");
        Assert.Equal(
            Mount("/run/notify", "bind", "/run/kata-containers/notify/c1", "bind", "nosuid", "noexec", "nodev", "ro"),
            plan.Mounts[^1].Guest);
        Assert.Equal(["NOTIFY_SOCKET=/run/notify/notify.sock"], plan.GuestSpec.Process.Env);
        Assert.Equal(
            ("/run/kata/c1/c1.notify", "/run/kata-containers/notify/c1/notify.sock"), (plan.Notify!.HostPath, plan.Extension.NotifySocket));
        Assert.Equal("/process/env", GuestExtensionBuilder.NeedOf(plan.Extension));
        Assert.True(plan.Mounts[^1].IsDirectory);
    }

    [Theory]
    [InlineData("sandbox", "ipc", "/run/ipcns/u", "", null)]
    [InlineData("sandbox", "uts", "/run/utsns/u", "", null)]
    [InlineData("sandbox", "ipc", "/run/ipcns/host", "", "The pod asks for the host's ipc namespace and has one of its own")]
    [InlineData("sandbox", "ipc", "/run/ipcns/none", null, null)]
    [InlineData("sandbox", "ipc", "/proc/1/ns/ipc", null, null)]
    [InlineData("sandbox", "pid", "/run/utsns/u", null, null)]
    [InlineData("container", "ipc", "/run/ipcns/u", null, null)] // nobody's of its pod
    public void Plan_NamespaceHeldByAFile_IsThePodsWhereItBeginsOne(string kind, string type, string path, string? owner, string? warning)
    {
        string config = $$"""
            {"ociVersion":"1.2.1","process":{"cwd":"/","args":["x"]},"root":{"path":"rootfs"},
             "linux":{"namespaces":[{"type":"{{type}}","path":"{{path}}"}]},
             "annotations":{"io.kubernetes.cri-o.ContainerType":"{{kind}}","io.kubernetes.cri-o.SandboxID":"p"} }
            """;
        if (owner is null)
        {
            Assert.Equal("/linux/namespaces/0/path", Assert.Throws<InvalidSpecException>(() => PlanSpec(config)).Field);
            return;
        }

        ContainerPlan plan = PlanSpec(config);
        Assert.Equal(owner, plan.Extension.Namespaces[type]);
        Assert.Equal(warning is not null, plan.Warnings.Any(text => text.StartsWith(warning ?? "-", StringComparison.Ordinal)));
    }

    private ContainerPlan Plan(string mounts, SharedMemory? memory = null) =>
        PlanSpec($$"""{"ociVersion":"1.0.2","process":{"cwd":"/","args":["x"]},"root":{"path":"rootfs"},"mounts":[{{mounts}}]}""", memory);

    private ContainerPlan PlanSpec(string config, SharedMemory? memory = null, string? notifyPath = null, RootRequest? rootFs = null)
    {
        File.WriteAllText(_directory.File("config.json"), config);
        return ContainerPlanner.Plan(
            ContainerId.Parse("c1"), Bundle.Load(_directory.Path), guestSeccomp: true, new FakeHostFiles(),
            static space => PodNamespaces.ProcessOf(space) == 77 ? ContainerId.Parse("first") : null, memory, notifyPath: notifyPath,
            rootFs: rootFs);
    }

    private sealed class FakeHostFiles : IHostFiles
    {
        public string HostName => "host.example";

        public HostFileKind KindOf(string path) => path switch
        {
            "/missing" => HostFileKind.Missing,
            "/special" or "/engine/notify/notify.sock" => HostFileKind.Special,
            "/block" => HostFileKind.BlockDevice,
            "/host/file" => HostFileKind.RegularFile,
            _ => HostFileKind.Directory,
        };

        public long? TmpfsSize(string path) => path is "/engine/shm" or "/dev/shm" ? 8 << 20 : null;

        public ulong? NamespaceAt(string path) => path switch
        {
            "/proc/self/ns/ipc" or "/run/ipcns/host" => 1,
            "/run/ipcns/u" => 10,
            "/run/utsns/u" => 11,
            _ => null,
        };
    }
}
