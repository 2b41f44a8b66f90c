namespace Kata.Hypervisor.Qemu.Tests;

public sealed class QemuCommandLineTests
{
    private static readonly DeviceId s_share = new("share");

    private static readonly MachineConfig s_config = new()
    {
        Name = "pod1",
        HypervisorPath = "/usr/bin/qemu-system-x86_64",
        MachineType = "q35",
        KernelPath = "/opt/vmlinuz",
        InitrdPath = "/opt/initrd",
        KernelParameters = "console=ttyS0 panic=1",
        MemoryMib = 512,
        MaxMemoryMib = 4096,
        VcpuCount = 2,
        MaxVcpuCount = 4,
        Accelerator = Accelerator.Tcg,
        Devices =
        [
            new ConsoleDevice(), new RandomDevice(FromHostDevice: false), new AgentChannelDevice(AgentTransport.VirtioSerial),
            new FileShareDevice(s_share, "kataShared"), new DiskDevice(new DeviceId("disk1"), ReadOnly: true, IsBlockDevice: false),
        ],
    };

    [Fact]
    public void Build_EmulationWithEverything_IsTheGoldenLine() => Assert.Equal(
        [
            "qemu", "-name", "guest=sandbox-pod1,debug-threads=on",
            "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-S",
            "-machine", "q35,memory-backend=mem0,usb=off,vmport=off,sata=off,smbus=off,hpet=off",
            "-accel", "tcg,thread=single,tb-size=64", "-cpu", "Nehalem,+rdrand",
            "-global", "virtio-device.event_idx=off", "-smp", "2,maxcpus=4",
            "-m", "size=512M,slots=10,maxmem=4096M",
            "-object", "memory-backend-memfd,id=mem0,size=512M,share=on", "-rtc", "base=utc,driftfix=slew,clock=host",
            "-kernel", "/kernel", "-initrd", "/initrd",
            "-append", "mitigations=off clearcpuid=cx16 reboot=k swiotlb=noforce console=ttyS0 panic=1",
            "-chardev", "socket,id=monitor,fd=3,server=on,wait=off", "-mon", "chardev=monitor,mode=control",
            "-device", "pvpanic-pci",
            "-device", """{"driver":"pci-bridge","id":"hotplug","bus":"pcie.0","addr":"0x1e","chassis_nr":1,"shpc":true}""",
            "-chardev", "socket,id=console,fd=4,server=on,wait=off", "-serial", "chardev:console",
            "-object", """{"qom-type":"rng-builtin","id":"random-source"}""",
            "-device", """{"driver":"virtio-rng-pci","id":"random","rng":"random-source","disable-legacy":"on"}""",
            "-chardev", "socket,id=agent-channel,fd=5,server=on,wait=off",
            "-device", """{"driver":"virtio-serial-pci","id":"agent-bus","max_ports":2,"disable-legacy":"on"}""",
            "-device",
            """{"driver":"virtserialport","id":"agent","bus":"agent-bus.0","chardev":"agent-channel","name":"agent.channel.0"}""",
            "-chardev", "socket,id=share-channel,fd=6",
            "-device", """{"driver":"vhost-user-fs-pci","id":"share","chardev":"share-channel","tag":"kataShared","queue-size":1024}""",
            "-add-fd", "fd=7,set=7",
            "-blockdev",
            """{"driver":"raw","node-name":"disk1-image","read-only":true,"discard":"unmap","file":"""
                + """{"driver":"file","filename":"/dev/fdset/7","read-only":true,"discard":"unmap"}}""",
            "-device",
            """{"driver":"virtio-blk-pci","id":"disk1","drive":"disk1-image","serial":"disk1","bus":"hotplug","""
                + "\"addr\":\"0x1\",\"disable-legacy\":\"on\"}",
            "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        ],
        Build(s_config));

    [Fact]
    public void Build_Microvm_HasNoPciAndGrowsNowhere()
    {
        IReadOnlyList<string> line = Build(s_config with { MachineType = "microvm", RootPorts = 2 });

        Assert.DoesNotContain(
            line, static item => item.Contains("pci", StringComparison.Ordinal) && !item.Contains("pcie=off", StringComparison.Ordinal));
        Assert.Equal("2", ValueOf(line, "-smp"));
        Assert.Equal("512M", ValueOf(line, "-m"));
        Assert.Contains(" reboot=t ", ValueOf(line, "-append"));
        Assert.Contains("""{"driver":"virtio-blk-device","id":"disk1","drive":"disk1-image","serial":"disk1"}""", line);
        Assert.Contains(
            """{"driver":"vhost-user-fs-device","id":"share","chardev":"share-channel","tag":"kataShared","queue-size":1024}""", line);
    }

    [Fact]
    public void Build_RootPorts_AreFunctionsOfTheSlotsBelowTheBridge()
    {
        string[] ports = [.. Build(s_config with { RootPorts = 9 })
            .Where(static item => item.Contains("pcie-root-port", StringComparison.Ordinal))];

        Assert.Equal(9, ports.Length);
        Assert.Contains("\"addr\":\"0x1c.0\"", ports[0]);
        Assert.Contains("\"addr\":\"0x1c.7\"", ports[7]);
        Assert.Contains("\"addr\":\"0x1b.0\"", ports[8]);
        Assert.Equal(9, ports.Select(static port => port[port.IndexOf("\"chassis\"", StringComparison.Ordinal)..]).Distinct().Count());
    }

    [Fact]
    public void Build_KvmWithVsock_PassesTheDeviceAndTellsTheAgent()
    {
        IReadOnlyList<string> line = QemuCommandLine.Build(
            s_config with { Accelerator = Accelerator.Kvm },
            QemuHandle.Inherited(3),
            QemuDevices.Translate(
                new AgentChannelDevice(AgentTransport.Vsock), QemuBoard.Of("q35"), [QemuHandle.Inherited(5)], vsockContextId: 77),
            vsockPort: 1030);

        Assert.Equal("kvm", ValueOf(line, "-accel"));
        Assert.Equal("host,pmu=off", ValueOf(line, "-cpu"));
        Assert.Contains("""{"driver":"vhost-vsock-pci","id":"agent","guest-cid":77,"vhostfd":"5"}""", line);
        Assert.Contains("reboot=k swiotlb=noforce console=ttyS0 panic=1 agent.channel=vsock agent.vsock_port=1030", line);
        Assert.DoesNotContain(line, static item => item.Contains("virtserialport"));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)] // KVM tells its guests
    public void Build_FrequencyIsKnown_EmulatedKernelIsTold(bool kvm, bool told)
    {
        MachineConfig config = s_config with { Accelerator = kvm ? Accelerator.Kvm : Accelerator.Tcg, TimestampKhz = 2_596_124 };
        Assert.Equal(
            told, ValueOf(QemuCommandLine.Build(config, QemuHandle.Inherited(3), []), "-append").Contains(" tsc_early_khz=2596124 "));
    }

    [Theory]
    [InlineData(true, true, ",hugetlb=on,hugetlbsize=2M,prealloc=on")]
    [InlineData(false, true, ",prealloc=on")]
    [InlineData(false, false, "")]
    public void Build_HugePagesAndPreallocation_AreTheMemorys(bool huge, bool allocated, string expected) => Assert.Contains(
        $"memory-backend-memfd,id=mem0,size=512M,share=on{expected}",
        Build(s_config with { HugePages = huge, PreallocateMemory = allocated }));

    [Theory]
    [InlineData("on,obsolete=deny", true)]
    [InlineData("", false)]
    public void Build_SystemCallFilter_IsQemusOwnArgument(string filter, bool there)
    {
        IReadOnlyList<string> line = Build(s_config with { SystemCallFilter = filter });
        Assert.Equal(there, line.Contains("-sandbox"));
        Assert.Equal(there, line.Contains(filter));
    }

    [Fact]
    public void Build_EntropyFromADevice_IsReadByItsDescriptor()
    {
        IReadOnlyList<string> line = Build(s_config with { Devices = [new RandomDevice(FromHostDevice: true)] });
        Assert.Equal("fd=4,set=4", ValueOf(line, "-add-fd"));
        Assert.Contains("""{"qom-type":"rng-random","id":"random-source","filename":"/dev/fdset/4"}""", line);
    }

    [Fact]
    public void Build_TextInAValue_StaysInTheValue()
    {
        IReadOnlyList<string> line = Build(
            s_config with { Name = "a,process=x", Devices = [new FileShareDevice(s_share, "t\",\"bus\":\"y,z")] });

        Assert.Contains("guest=sandbox-a,,process=x,debug-threads=on", line);
        string device = Assert.Single(line, static item => item.Contains("vhost-user-fs", StringComparison.Ordinal));
        using var parsed = System.Text.Json.JsonDocument.Parse(device);
        Assert.Equal("t\",\"bus\":\"y,z", parsed.RootElement.GetProperty("tag").GetString());
        Assert.False(parsed.RootElement.TryGetProperty("bus", out _));
    }

    [Fact]
    public void Build_AnyMachine_HasNoNetworkBackendAndNoHostPath()
    {
        IReadOnlyList<string> line = Build(s_config with { InitrdPath = null });

        Assert.DoesNotContain("-netdev", line);
        Assert.DoesNotContain("-nic", line);
        Assert.DoesNotContain("-initrd", line);
        Assert.DoesNotContain(line, static item => item.Contains("/opt") || (item.Contains("/dev") && !item.Contains("/dev/fdset/")));
    }

    [Theory]
    [InlineData("q35")]
    [InlineData("microvm")]
    public void Build_AnyMachine_SharesItsMemoryWithVhostUserPrograms(string type)
    {
        var card = new VhostUserNetworkDevice(new DeviceId("net1"), "02:00:00:00:00:01");
        IReadOnlyList<string> line = Build(s_config with { MachineType = type, Devices = [card] });

        Assert.Contains("memory-backend-memfd", ValueOf(line, "-object"), StringComparison.Ordinal);
        Assert.Contains(",share=on", ValueOf(line, "-object"), StringComparison.Ordinal);
        Assert.Contains("memory-backend=mem0", ValueOf(line, "-machine"), StringComparison.Ordinal);
        Assert.Equal("vhost-user,id=net1-end,chardev=net1-channel,queues=1", ValueOf(line, "-netdev"));
    }

    // Without KVM QEMU would end as soon as the guest uses the card.
    [Theory]
    [InlineData("q35", false, true)]
    [InlineData("q35", true, false)]
    [InlineData("microvm", false, false)]
    public void Build_VhostUserCard_HasInterruptsByMessageWithKvmOnly(string type, bool kvm, bool without)
    {
        MachineConfig config = s_config with { MachineType = type, Accelerator = kvm ? Accelerator.Kvm : Accelerator.Tcg };
        var card = new VhostUserNetworkDevice(new DeviceId("net1"), "02:00:00:00:00:01");

        Assert.Equal(without, Build(config with { Devices = [card] }).Contains("virtio-net-pci.vectors=0"));
        Assert.DoesNotContain("virtio-net-pci.vectors=0", Build(config with { Devices = [] }));
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

    private static string ValueOf(IReadOnlyList<string> line, string option) => line[line.ToList().IndexOf(option) + 1];

    // Descriptors from 4 on in the order of the devices, as the machine gives them.
    private static IReadOnlyList<string> Build(MachineConfig config)
    {
        int next = 4, slot = 1;
        QemuBoard board = QemuBoard.Of(config.MachineType);
        var parts = new List<QemuPart>();
        foreach (Device device in config.Devices)
        {
            int count = device is ConsoleDevice or AgentChannelDevice ? 1 : device.DescriptorCount;
            QemuHandle[] handles = [.. Enumerable.Range(0, count).Select(_ => QemuHandle.Inherited(next++))];
            parts.AddRange(QemuDevices.Translate(device, board, handles, device is DiskDevice ? slot++ : 0));
        }

        return QemuCommandLine.Build(config, QemuHandle.Inherited(3), parts);
    }
}
