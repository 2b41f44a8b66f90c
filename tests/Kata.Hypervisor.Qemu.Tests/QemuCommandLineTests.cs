namespace Kata.Hypervisor.Qemu.Tests;

public sealed class QemuCommandLineTests
{
    private static readonly VirtualMachineConfig s_config = new()
    {
        Name = "pod1",
        HypervisorPath = "/usr/bin/qemu-system-x86_64",
        KernelPath = "/opt/vmlinuz",
        InitrdPath = "/opt/initrd",
        KernelParameters = "console=ttyS0 panic=1",
        MemoryMib = 512,
        VcpuCount = 2,
        Accelerator = Accelerator.Tcg,
        AgentTransport = AgentTransport.VirtioSerial,
        SharedFilesystems = [new SharedFilesystem("kataShared")],
    };

    [Fact]
    public void Build_EmulationWithSerialAndShare_IsTheGoldenLine() => Assert.Equal(
        [
            "qemu", "-name", "guest=sandbox-pod1,debug-threads=on", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-S",
            "-machine", "q35,memory-backend=mem0,usb=off,vmport=off,sata=off,smbus=off,hpet=off",
            "-accel", "tcg,thread=single,tb-size=64", "-cpu", "Nehalem,+rdrand", "-smp", "2", "-m", "512M",
            "-object", "memory-backend-memfd,id=mem0,size=512M,share=on", "-rtc", "base=utc,driftfix=slew,clock=host",
            "-kernel", "/kernel", "-initrd", "/initrd", "-append", "mitigations=off clearcpuid=cx16 console=ttyS0 panic=1",
            "-chardev", "socket,id=monitor,fd=3", "-mon", "chardev=monitor,mode=control",
            "-chardev", "socket,id=console,fd=4", "-serial", "chardev:console", "-device", "pvpanic-pci",
            "-object", "rng-builtin,id=rng0", "-device", "virtio-rng-pci,rng=rng0,disable-legacy=on",
            "-device", "virtio-serial-pci,id=serial0,disable-legacy=on", "-chardev", "socket,id=agent,fd=5",
            "-device", "virtserialport,bus=serial0.0,chardev=agent,id=channel0,name=agent.channel.0",
            "-chardev", "socket,id=fs0,fd=6", "-device", "vhost-user-fs-pci,chardev=fs0,tag=kataShared,queue-size=1024",
            "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        ],
        QemuCommandLine.Build(s_config, new QemuDescriptors()));

    [Fact]
    public void Build_KvmWithVsock_PassesTheDeviceAndTellsTheAgent()
    {
        IReadOnlyList<string> line = QemuCommandLine.Build(
            s_config with { Accelerator = Accelerator.Kvm, AgentTransport = AgentTransport.Vsock, SharedFilesystems = [] },
            new QemuDescriptors { VsockContextId = 77, VsockPort = 1030 });

        Assert.Equal("kvm", line[line.ToList().IndexOf("-accel") + 1]);
        Assert.Equal("host,pmu=off", line[line.ToList().IndexOf("-cpu") + 1]);
        Assert.Contains("vhost-vsock-pci,id=vsock0,guest-cid=77,vhostfd=5", line);
        Assert.Contains("console=ttyS0 panic=1 agent.channel=vsock agent.vsock_port=1030", line);
        Assert.DoesNotContain(line, static item => item.Contains("virtserialport"));
    }

    [Theory]
    [InlineData(true, true, ",hugetlb=on,hugetlbsize=2M,prealloc=on")]
    [InlineData(false, true, ",prealloc=on")]
    [InlineData(false, false, "")]
    public void Build_HugePagesAndPreallocation_AreTheMemorys(bool huge, bool allocated, string expected) => Assert.Contains(
        $"memory-backend-memfd,id=mem0,size=512M,share=on{expected}",
        QemuCommandLine.Build(s_config with { HugePages = huge, PreallocateMemory = allocated }, new QemuDescriptors()));

    [Theory]
    [InlineData("on,obsolete=deny", true)]
    [InlineData("", false)]
    public void Build_SystemCallFilter_IsQemusOwnArgument(string filter, bool there)
    {
        IReadOnlyList<string> line = QemuCommandLine.Build(s_config with { SystemCallFilter = filter }, new QemuDescriptors());
        Assert.Equal(there, line.Contains("-sandbox"));
        Assert.Equal(there, line.Contains(filter));
    }

    [Fact]
    public void Build_EntropyFromADevice_IsReadByItsDescriptor()
    {
        IReadOnlyList<string> line = QemuCommandLine.Build(s_config with { EntropySource = "/dev/hwrng" }, new QemuDescriptors { Entropy = 7 });
        Assert.Contains("fd=7,set=1", line);
        Assert.Contains("rng-random,id=rng0,filename=/dev/fdset/1", line);
        Assert.DoesNotContain("rng-builtin,id=rng0", line);
        Assert.DoesNotContain(line, static item => item.Contains("hwrng", StringComparison.Ordinal)); // the jail has no such file
    }

    [Fact]
    public void Build_CommaInATextValue_StaysInTheValue()
    {
        IReadOnlyList<string> line = QemuCommandLine.Build(
            s_config with { Name = "a,process=x", SharedFilesystems = [new SharedFilesystem("t,bus=y")] }, new QemuDescriptors());

        Assert.Contains("guest=sandbox-a,,process=x,debug-threads=on", line);
        Assert.Contains(line, static item => item.Contains("tag=t,,bus=y,queue-size"));
    }

    [Fact]
    public void Build_AnyMachine_HasNoNetworkBackendAndNoHostPath()
    {
        IReadOnlyList<string> line = QemuCommandLine.Build(s_config with { InitrdPath = null }, new QemuDescriptors());

        Assert.DoesNotContain("-netdev", line);
        Assert.DoesNotContain("-nic", line);
        Assert.DoesNotContain("-initrd", line);
        Assert.DoesNotContain(line, static item => item.Contains("/opt") || item.Contains("/dev"));
    }

    [Fact]
    public void ReadOnlyPaths_OtherPrefix_StaysInsideIt()
    {
        IReadOnlyList<string> paths = QemuJail.ReadOnlyPaths("/opt/kata/bin/qemu");

        Assert.Contains("/opt/kata/share/kata-qemu", paths);
        Assert.DoesNotContain("/opt/kata", paths);
        Assert.DoesNotContain("/usr", paths);
        Assert.DoesNotContain("/", paths);
    }
}
