using Kata.Agent.Protocol;
using Kata.Oci;
using Guest = Kata.Agent.Protocol.Oci;

namespace Kata.Sandbox.Tests;

public sealed class GuestSpecBuilderTests
{
    private readonly List<string> _warnings = [];

    [Fact]
    public void Build_Namespaces_LoseNetworkTimeAndEveryPath()
    {
        Guest.Spec guest = Build(new LinuxSpec
        {
            Namespaces =
            [
                new LinuxNamespace { Type = "pid", Path = "/proc/1/ns/pid" },
                new LinuxNamespace { Type = "network", Path = "/run/netns/x" },
                new LinuxNamespace { Type = "ipc" },
                new LinuxNamespace { Type = "uts" },
                new LinuxNamespace { Type = "mount" },
                new LinuxNamespace { Type = "cgroup" },
                new LinuxNamespace { Type = "time" },
            ],
        });
        Assert.Equal(["pid", "ipc", "uts", "mount", "cgroup"], guest.Linux.Namespaces.Select(static item => item.Type));
        Assert.All(guest.Linux.Namespaces, static item => Assert.Empty(item.Path));
    }

    [Fact]
    public void Build_CgroupsPathAndRoot_AreTheGuests()
    {
        Guest.Spec guest = Build(new LinuxSpec { CgroupsPath = "/../../host" });
        Assert.Equal("/kata/c1", guest.Linux.CgroupsPath);
        Assert.Null(guest.Hooks);
    }

    [Theory]
    [InlineData("/dev/null")]
    [InlineData("/dev/urandom")]
    [InlineData("/dev/tty")]
    public void Build_DeviceOfEveryKernel_IsAccepted(string path) =>
        Build(new LinuxSpec { Devices = [new LinuxDevice { Path = path, Type = "c", Major = 1, Minor = 3 }] });

    [Theory]
    [InlineData("/dev/fuse")]
    [InlineData("/dev/sda")]
    [InlineData("/dev/../dev/null")]
    [InlineData("/dev/null/")]
    public void Build_DeviceOfTheHost_IsRefusedByItsIndex(string path)
    {
        var linux = new LinuxSpec
        {
            Devices = [new LinuxDevice { Path = "/dev/zero", Type = "c" }, new LinuxDevice { Path = path, Type = "c" }],
        };
        Assert.Equal("/linux/devices/1/path", Assert.Throws<InvalidSpecException>(() => Build(linux)).Field);
    }

    [Fact]
    public void Build_Privileged_LeavesTheHostsDevicesOut()
    {
        Guest.Spec guest = Build(new LinuxSpec
        {
            Devices = [new LinuxDevice { Path = "/dev/sda", Type = "b", Major = 8, Minor = 0 }],
            Resources = new LinuxResources
            {
                Devices = [new LinuxDeviceCgroup { Allow = false, Access = "rwm" }, new LinuxDeviceCgroup { Allow = true, Access = "rwm" }],
            },
        });
        Assert.Empty(guest.Linux.Devices);
    }

    [Fact]
    public void Build_WithoutCgroupNamespace_GetsOne() =>
        Assert.Equal(["uts", "cgroup"], Build(new LinuxSpec()).Linux.Namespaces.Select(static item => item.Type));

    [Fact]
    public void Build_Seccomp_IsPassedWhole()
    {
        Guest.LinuxSeccomp seccomp = Build(Seccomp()).Linux.Seccomp;
        Assert.Equal("SCMP_ACT_ERRNO", seccomp.DefaultAction);
        Assert.Equal(["SCMP_ARCH_X86_64"], seccomp.Architectures);
        Assert.Equal(["SECCOMP_FILTER_FLAG_LOG"], seccomp.Flags);
        Guest.LinuxSyscall rule = seccomp.Syscalls[0];
        Assert.Equal(["clone", "unshare"], rule.Names);
        Assert.Equal(38u, rule.Errnoret);
        Assert.Equal(
            new Guest.LinuxSeccompArg { Index = 1, Value = ulong.MaxValue, ValueTwo = 7, Op = "SCMP_CMP_MASKED_EQ" },
            Assert.Single(rule.Args));
        Assert.False(seccomp.Syscalls[1].HasErrnoret);
    }

    [Fact]
    public void Build_SeccompTurnedOff_IsNotPassed() => Assert.Null(Build(Seccomp(), guestSeccomp: false).Linux.Seccomp);

    [Fact]
    public void Build_SysctlMasksAndMappings_ArePassed()
    {
        Guest.Linux linux = Build(new LinuxSpec
        {
            Sysctl = new Dictionary<string, string> { ["net.core.somaxconn"] = "1024" },
            MaskedPaths = ["/proc/kcore"],
            ReadonlyPaths = ["/proc/sys"],
            RootfsPropagation = "rslave",
            UidMappings = [new LinuxIdMapping { ContainerId = 0, HostId = 1000, Size = 65536 }],
            GidMappings = [new LinuxIdMapping { ContainerId = 1, HostId = 2, Size = 3 }],
        }).Linux;
        Assert.Equal("1024", linux.Sysctl["net.core.somaxconn"]);
        Assert.Equal(("/proc/kcore", "/proc/sys", "rslave"), (linux.MaskedPaths[0], linux.ReadonlyPaths[0], linux.RootfsPropagation));
        Assert.Equal(new Guest.LinuxIDMapping { ContainerID = 0, HostID = 1000, Size = 65536 }, linux.UIDMappings[0]);
        Assert.Equal(new Guest.LinuxIDMapping { ContainerID = 1, HostID = 2, Size = 3 }, linux.GIDMappings[0]);
    }

    [Fact]
    public void Build_NoLinuxSection_HasOneForTheGuest() => Assert.Equal("/kata/c1", Build(null).Linux.CgroupsPath);

    [Fact]
    public void Build_Annotations_ArePassed()
    {
        var spec = new RuntimeSpec { OciVersion = "1.1.0", Hostname = "h", Annotations = new Dictionary<string, string> { ["k"] = "v\n" } };
        Guest.Spec guest = GuestSpecBuilder.Build(ContainerId.Parse("c1"), spec, true, "host", _warnings);
        Assert.Equal(("1.1.0", "h", "v\n"), (guest.Version, guest.Hostname, guest.Annotations["k"]));
    }

    [Fact]
    public void Process_EveryField_IsPassed()
    {
        Guest.Process guest = GuestSpecBuilder.Process(new ProcessSpec
        {
            Terminal = true,
            Cwd = "/work dir",
            Args = ["sh", "", "-c"],
            Env = ["A=1", "B="],
            NoNewPrivileges = true,
            OomScoreAdj = -500,
            User = new UserSpec { Uid = uint.MaxValue, Gid = 7, AdditionalGids = [8, 9] },
            ConsoleSize = new ConsoleSize { Height = 24, Width = 80 },
            Rlimits = [new PosixRlimit { Type = "RLIMIT_NOFILE", Hard = ulong.MaxValue, Soft = 1 }],
            Capabilities = new Kata.Oci.LinuxCapabilities
            {
                Bounding = ["CAP_KILL"],
                Effective = ["CAP_CHOWN"],
                Inheritable = ["CAP_A"],
                Permitted = ["CAP_B"],
                Ambient = ["CAP_C"],
            },
        });
        Assert.True(guest.Terminal && guest.NoNewPrivileges);
        Assert.Equal(("/work dir", -500L), (guest.Cwd, (long)guest.OOMScoreAdj));
        Assert.Equal(["sh", "", "-c"], guest.Args);
        Assert.Equal(["A=1", "B="], guest.Env);
        Assert.Equal((uint.MaxValue, 7u), (guest.User.UID, guest.User.GID));
        Assert.Equal([8u, 9u], guest.User.AdditionalGids);
        Assert.Equal((24u, 80u), (guest.ConsoleSize.Height, guest.ConsoleSize.Width));
        Assert.Equal(new Guest.POSIXRlimit { Type = "RLIMIT_NOFILE", Hard = ulong.MaxValue, Soft = 1 }, guest.Rlimits[0]);
        Assert.Equal(
            "CAP_KILL CAP_CHOWN CAP_A CAP_B CAP_C",
            string.Join(
                ' ', guest.Capabilities.Bounding[0], guest.Capabilities.Effective[0], guest.Capabilities.Inheritable[0],
                guest.Capabilities.Permitted[0], guest.Capabilities.Ambient[0]));
    }

    [Fact]
    public void Process_Minimal_IsRootWithoutCapabilities()
    {
        Guest.Process guest = GuestSpecBuilder.Process(new ProcessSpec { Cwd = "/" });
        Assert.Equal((0u, 0u), (guest.User.UID, guest.User.GID));
        Assert.Null(guest.Capabilities);
    }

    private static LinuxSpec Seccomp() => new()
    {
        Seccomp = new LinuxSeccomp
        {
            DefaultAction = "SCMP_ACT_ERRNO",
            Architectures = ["SCMP_ARCH_X86_64"],
            Flags = ["SECCOMP_FILTER_FLAG_LOG"],
            Syscalls =
            [
                new LinuxSyscall
                {
                    Names = ["clone", "unshare"],
                    Action = "SCMP_ACT_ERRNO",
                    ErrnoRet = 38,
                    Args = [new LinuxSeccompArg { Index = 1, Value = ulong.MaxValue, ValueTwo = 7, Op = "SCMP_CMP_MASKED_EQ" }],
                },
                new LinuxSyscall { Names = ["read"], Action = "SCMP_ACT_ALLOW" },
            ],
        },
    };

    [Theory]
    [InlineData("alice", "alice", "")]
    [InlineData("alice:staff", "alice", "staff")]
    [InlineData("1000:staff", "1000", "staff")]
    [InlineData("a:b:c", "a", "b:c")]
    public void NamedUser_Names_AreLeftToTheGuestWithTheFurtherGroups(string name, string user, string group)
    {
        StringUser named = GuestSpecBuilder.NamedUser(name, new UserSpec { AdditionalGids = [4, 5] });
        Assert.Equal((user, group), (named.Uid, named.Gid));
        Assert.Equal(["4", "5"], named.AdditionalGids);
    }

    private Guest.Spec Build(LinuxSpec? linux, bool guestSeccomp = true) => GuestSpecBuilder.Build(
        ContainerId.Parse("c1"), new RuntimeSpec { OciVersion = "1.0.2", Linux = linux }, guestSeccomp, "host", _warnings);
}
