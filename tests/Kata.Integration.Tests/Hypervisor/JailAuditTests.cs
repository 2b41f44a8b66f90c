using Kata.Hypervisor;
using Kata.Hypervisor.Contract;
using Kata.Storage;

namespace Kata.Integration.Tests.Hypervisor;

public sealed class JailAuditTests
{
    private static readonly string[] s_namespaces = ["mnt", "net", "pid", "ipc", "uts"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Qemu_Running_HasNoPrivilegeAndSeesNothingOfTheHost()
    {
        await using TestMachine test = await QemuMachines.CreateAsync(QemuMachines.Config());
        await test.Machine.StartAsync(Cancellation);

        ProcessStatus qemu = ProcessStatus.Read(test.Machine.ProcessId);
        ProcessStatus self = ProcessStatus.Read(Environment.ProcessId);

        Assert.All(qemu.Ids("Uid").Concat(qemu.Ids("Gid")), static id => Assert.Equal("65534", id));
        Assert.Equal("", qemu["Groups"].Trim());
        Assert.All(["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"], set => Assert.Equal(0ul, qemu.Hex(set)));
        Assert.Equal("1", qemu["NoNewPrivs"]);
        Assert.Equal("2", qemu["Seccomp"]);
        Assert.All(s_namespaces, kind => Assert.NotEqual(self.Namespace(kind), qemu.Namespace(kind)));
        Assert.EndsWith("\t1", qemu["NSpid"]);
        // Every mount it sees is read-only, and the root is the jail's tmpfs.
        Assert.All(qemu.Mounts(), static mount => Assert.StartsWith("ro,", mount.Split(' ')[5]));
        Assert.Contains(qemu.Mounts(), static mount => mount.Split(' ')[4] == "/" && mount.Contains(" - tmpfs "));
        Assert.All(qemu.OpenFiles(), AssertHarmless);
        // The program's own files and nothing else: no /proc, /root, /home, /run, /etc/shadow.
        string root = $"/proc/{test.Machine.ProcessId}/root";
        Assert.All(
            Directory.GetFileSystemEntries(root).Select(Path.GetFileName),
            static name => Assert.Contains(name, (string[])["bin", "dev", "etc", "kernel", "lib", "lib64", "sbin", "usr"]));
        Assert.All(
            Directory.GetFileSystemEntries(root + "/dev").Select(Path.GetFileName),
            static name => Assert.Contains(name, (string[])["null", "kvm"]));
        Assert.Equal(["ld.so.cache"], Directory.GetFileSystemEntries(root + "/etc").Select(Path.GetFileName));
    }

    [Fact]
    public async Task Virtiofsd_Serving_IsConfinedToTheShare()
    {
        GuestFiles.RequireRoot();
        DirectoryInfo directory = Directory.CreateTempSubdirectory("kata-test-");
        using (SharedDirectory share = SharedDirectory.Create(Path.Combine(directory.FullName, "shared")))
        await using (VirtioFsDaemon daemon = await VirtioFsDaemon.StartAsync(new VirtioFsDaemonOptions
        {
            Path = "/usr/lib/qemu/virtiofsd",
            SourceDirectory = share.Path,
            SocketDirectory = directory.FullName,
        }))
        {
            var device = new FileShareDevice(new DeviceId("share"), "kataShared");
            var descriptors = new DeviceDescriptors();
            descriptors.Add(device.Id, daemon.TakeClientSocket());
            MachineConfig config = QemuMachines.Config();
            config = config with { Devices = [.. config.Devices, device] };
            await using TestMachine test = await QemuMachines.CreateAsync(config, descriptors);
            await test.Machine.StartAsync(Cancellation); // QEMU has talked to the daemon by now, so the daemon has confined itself

            int serving = Assert.Single(daemon.ProcessIds, id => id != daemon.ProcessId);
            ProcessStatus status = ProcessStatus.Read(serving);
            ProcessStatus self = ProcessStatus.Read(Environment.ProcessId);
            Assert.Equal(0x880000dbul, status.Hex("CapEff"));
            Assert.Equal(0x880000dbul, status.Hex("CapPrm"));
            Assert.Equal(0ul, status.Hex("CapBnd"));
            Assert.Equal("1", status["NoNewPrivs"]);
            Assert.Equal("2", status["Seccomp"]);
            Assert.All((string[])["mnt", "net", "pid"], kind => Assert.NotEqual(self.Namespace(kind), status.Namespace(kind)));
            TestContext.Current.TestOutputHelper?.WriteLine($"CapBnd {status["CapBnd"]} files {string.Join(' ', status.OpenFiles())}");
            Assert.Empty(Directory.GetFileSystemEntries($"/proc/{serving}/root"));
        }

        directory.Delete(recursive: true);
    }

    private static void AssertHarmless(string target) => Assert.True(
        target is "/dev/null" or "/dev/vhost-vsock"
        || target.EndsWith("/dev/kvm", StringComparison.Ordinal)
        || target.StartsWith("socket:", StringComparison.Ordinal)
        || target.StartsWith("pipe:", StringComparison.Ordinal)
        || target.StartsWith("anon_inode:", StringComparison.Ordinal)
        || target.StartsWith("/memfd:", StringComparison.Ordinal),
        $"QEMU holds '{target}'");
}
