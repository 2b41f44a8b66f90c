using System.Text;
using Kata.Hypervisor.Qemu.Qmp;
using Kata.Linux;

namespace Kata.Hypervisor.Qemu.Tests;

/// <summary>What a device is over the control channel; <see cref="QemuCommandLineTests"/> has the same for the command line.</summary>
public sealed class QemuPartTests
{
    private static readonly QemuBoard s_board = QemuBoard.Of("q35");

    [Fact]
    public void Commands_Disk_AreTheGoldenOnes()
    {
        var disk = new DiskDevice(new DeviceId("disk7"), ReadOnly: false, IsBlockDevice: true);
        IReadOnlyList<QemuPart> parts = QemuDevices.Translate(disk, s_board, [new QemuHandle("disk7-0", 4097)], slot: 10);

        const string Image = """
            {"driver":"raw","node-name":"disk7-image","read-only":false,"discard":"unmap",
            "file":{"driver":"host_device","filename":"/dev/fdset/4097","read-only":false,"discard":"unmap"}}
            """;
        const string Frontend = """
            {"driver":"virtio-blk-pci","id":"disk7","drive":"disk7-image","serial":"disk7",
            "bus":"hotplug","addr":"0xa","disable-legacy":"on"}
            """;
        Assert.Equal(
            [
                Command("add-fd", """{"fdset-id":4097}"""), Command("blockdev-add", Image.ReplaceLineEndings("")),
                Command("device_add", Frontend.ReplaceLineEndings("")),
            ],
            parts.SelectMany(static part => part.Commands).Select(Line));
        Assert.Equal([0, null, null], parts.Select(static part => part.Passes));
        QmpCommand[] removals = [.. parts.Select(static part => part.Removal).OfType<QmpCommand>()];
        Assert.Equal(["remove-fd", "blockdev-del"], removals.Select(static command => command.Name));
    }

    [Fact]
    public void Commands_Socket_PassTheDescriptorFirst()
    {
        var share = new FileShareDevice(new DeviceId("share2"), "tag");
        QemuPart socket = QemuDevices.Translate(share, s_board, [new QemuHandle("share2-0", 4098)])[0];

        const string Channel = """
            {"id":"share2-channel","backend":{"type":"socket","data":
            {"addr":{"type":"fd","data":{"str":"share2-0"}},"server":false,"wait":false}}}
            """;
        Assert.Equal(
            [Command("getfd", """{"fdname":"share2-0"}"""), Command("chardev-add", Channel.ReplaceLineEndings(""))],
            socket.Commands.Select(Line));
        Assert.Equal(0, socket.Passes);
    }

    [Fact]
    public void Network_OneQueue_IsATapByItsDescriptor()
    {
        var card = new NetworkDevice(new DeviceId("net1"), "02:00:00:00:00:01");
        IReadOnlyList<QemuPart> cold = QemuDevices.Translate(card, s_board, [QemuHandle.Inherited(7)], slot: 3);
        IReadOnlyList<QemuPart> hot = QemuDevices.Translate(card, s_board, [new QemuHandle("net1-0", 4099)], slot: 3);

        const string Frontend = """
            {"driver":"virtio-net-pci","id":"net1","netdev":"net1-tap","mac":"02:00:00:00:00:01","romfile":"",
            "bus":"hotplug","addr":"0x3","disable-legacy":"on"}
            """;
        Assert.Equal(
            ["-netdev", "tap,id=net1-tap,fd=7", "-device", Frontend.ReplaceLineEndings("")],
            cold.SelectMany(static part => part.Arguments));
        Assert.Equal(
            [
                Command("getfd", """{"fdname":"net1-0"}"""),
                Command("netdev_add", """{"type":"tap","id":"net1-tap","fd":"net1-0"}"""),
                Command("device_add", Frontend.ReplaceLineEndings("")),
            ],
            hot.SelectMany(static part => part.Commands).Select(Line));
        Assert.Equal(
            ["closefd", "netdev_del"], hot.Select(static part => part.Removal).OfType<QmpCommand>().Select(static command => command.Name));
    }

    [Fact]
    public void Network_SeveralQueuesWithVhost_NamesAllOfThem()
    {
        var card = new NetworkDevice(new DeviceId("net1"), "02:00:00:00:00:01", Queues: 2, VhostNet: true);
        QemuHandle[] handles = [.. Enumerable.Range(3, 4).Select(QemuHandle.Inherited)];
        QemuHandle[] passed = [.. Enumerable.Range(0, 4).Select(static index => new QemuHandle($"net1-{index}", 4096 + index))];
        string[] microvm =
            [.. QemuDevices.Translate(card, QemuBoard.Of("microvm"), handles).SelectMany(static part => part.Arguments)];
        IReadOnlyList<QemuPart> hot = QemuDevices.Translate(card, s_board, passed, slot: 1);

        Assert.Equal(4, card.DescriptorCount);
        Assert.Equal("tap,id=net1-tap,fds=3:4,vhostfds=5:6,vhost=on", microvm[1]);
        Assert.Equal("""{"driver":"virtio-net-device","id":"net1","netdev":"net1-tap","mac":"02:00:00:00:00:01","mq":true}""", microvm[3]);
        Assert.Equal([0, 1, 2, 3, null, null], hot.Select(static part => part.Passes));
        Assert.Contains(
            Command("netdev_add", """{"type":"tap","id":"net1-tap","fds":"net1-0:net1-1","vhostfds":"net1-2:net1-3","vhost":true}"""),
            hot.SelectMany(static part => part.Commands).Select(Line));
        Assert.Contains("\"mq\":true,\"vectors\":6,", hot[^1].Arguments[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, "hotplug", "0x3")]
    [InlineData(33, "port1", "0x0")]
    public void Host_PciDevice_IsNamedByItsAddressBehindTheBridgeOrAPort(int slot, string bus, string address)
    {
        QemuPart part = Assert.Single(QemuDevices.Translate(HostDeviceOf("net1", "0000:3b:00.1", 7), s_board, [], slot));
        string options = """{"driver":"vfio-pci","id":"net1","host":"0000:3b:00.1","rombar":0,"""
            + $"\"bus\":\"{bus}\",\"addr\":\"{address}\"}}";
        Assert.Equal(["-device", options], part.Arguments);
        Assert.Equal([Command("device_add", options)], part.Commands.Select(Line));
    }

    [Fact]
    public void WithHostDevices_JailHasTheirGroupsOnceAndWhereEachIs()
    {
        string sysfs = Directory.CreateTempSubdirectory("kata-").FullName;
        var bus = new PciBus(sysfs);
        var jail = new JailOptions { MountPoint = "/x", UserId = 1, GroupId = 1 };
        HostDevice[] devices = [HostDeviceOf("net1", "0000:3b:00.0", 7), HostDeviceOf("net2", "0000:3b:00.1", 7)];
        HypervisorException error = Assert.Throws<HypervisorException>(() => QemuJail.WithHostDevices(bus, jail, devices));
        Assert.Contains("IOMMU group 7", error.Message);

        Directory.CreateDirectory($"{sysfs}/class/vfio/7");
        File.WriteAllText($"{sysfs}/class/vfio/7/dev", "243:1\n");
        JailOptions with = QemuJail.WithHostDevices(bus, jail, devices);
        Assert.Equal([new JailDevice("/dev/vfio/vfio", 10, 196), new JailDevice("/dev/vfio/7", 243, 1)], with.Devices);
        Assert.Equal(2, with.Links.Count);
        Assert.Equal("../../../../kernel/iommu_groups/7", with.Links["/sys/bus/pci/devices/0000:3b:00.1/iommu_group"]);
        Assert.Same(jail, QemuJail.WithHostDevices(bus, jail, []));
        Directory.Delete(sysfs, recursive: true);
    }

    // No descriptor: QEMU does not pass any over a socket that it was given itself.
    [Fact]
    public void VhostUserNetwork_ColdAndHot_IsACardAtASocketOfTheJail()
    {
        var card = new VhostUserNetworkDevice(new DeviceId("net1"), "02:00:00:00:00:01", Queues: 2, QueueSize: 512);
        IReadOnlyList<QemuPart> parts = QemuDevices.Translate(card, s_board, [], slot: 3);

        const string Frontend = """
            {"driver":"virtio-net-pci","id":"net1","netdev":"net1-end","mac":"02:00:00:00:00:01","mq":true,
            "rx_queue_size":512,"tx_queue_size":512,"romfile":"","bus":"hotplug","addr":"0x3","disable-legacy":"on"}
            """;
        const string Channel = """
            {"id":"net1-channel","backend":{"type":"socket","data":
            {"addr":{"type":"unix","data":{"path":"/net-net1/socket"}},"server":false,"reconnect":1}}}
            """;
        Assert.Equal(
            [
                "-chardev", "socket,id=net1-channel,path=/net-net1/socket,reconnect=1",
                "-netdev", "vhost-user,id=net1-end,chardev=net1-channel,queues=2",
                "-device", Frontend.ReplaceLineEndings(""),
            ],
            parts.SelectMany(static part => part.Arguments));
        Assert.Equal(
            [
                Command("chardev-add", Channel.ReplaceLineEndings("")),
                Command("netdev_add", """{"type":"vhost-user","id":"net1-end","chardev":"net1-channel","queues":2}"""),
                Command("device_add", Frontend.ReplaceLineEndings("")),
            ],
            parts.SelectMany(static part => part.Commands).Select(Line));
        Assert.All(parts, static part => Assert.Null(part.Passes));
        Assert.Equal(
            ["chardev-remove", "netdev_del"],
            parts.Select(static part => part.Removal).OfType<QmpCommand>().Select(static command => command.Name));
    }

    [Fact]
    public void VhostUserNetwork_RunningMachine_IsRefusedByTheBoard()
    {
        var card = new VhostUserNetworkDevice(new DeviceId("net1"), "02:00:00:00:00:01");
        Assert.Null(s_board.Capabilities.RefusalOf(card, running: false));
        Assert.Equal("QEMU's machine type 'q35' takes it only before it starts", s_board.Capabilities.RefusalOf(card, running: true));
    }

    [Fact]
    public void VhostUserNetwork_OnABoardWithoutPci_HasNeitherPlaceNorFirmware()
    {
        var card = new VhostUserNetworkDevice(new DeviceId("net1"), "02:00:00:00:00:01");
        Assert.Equal(
            """
            {"driver":"virtio-net-device","id":"net1","netdev":"net1-end","mac":"02:00:00:00:00:01","rx_queue_size":256,"tx_queue_size":256}
            """,
            QemuDevices.Translate(card, QemuBoard.Of("microvm"), [])[^1].Arguments[1]);
    }

    // Only a queue by which the guest receives may be larger, in front of a tap.
    [Theory]
    [InlineData(256, "")]
    [InlineData(1024, "\"rx_queue_size\":1024,")]
    public void Network_QueueSize_IsThatOfWhatTheGuestReceives(int size, string property)
    {
        var card = new NetworkDevice(new DeviceId("net1"), "02:00:00:00:00:01", QueueSize: size);
        Assert.Contains(
            $"\"mac\":\"02:00:00:00:00:01\",{property}\"romfile\"",
            QemuDevices.Translate(card, s_board, [QemuHandle.Inherited(7)])[^1].Arguments[1], StringComparison.Ordinal);
    }

    /// <summary>One translation: what the command line says in JSON the control channel says in the same.</summary>
    [Fact]
    public void Arguments_OfEveryPartInJson_AreThoseOfItsCommand()
    {
        var disk = new DiskDevice(new DeviceId("disk1"), ReadOnly: true, IsBlockDevice: false);
        Device[] devices = [new RandomDevice(FromHostDevice: true), disk];
        QemuPart[] parts = [.. devices.SelectMany(device => QemuDevices.Translate(device, s_board, [QemuHandle.Inherited(9)], slot: 1))];

        Assert.All(
            parts.Where(static part => part is QemuObject or QemuBlockNode or QemuFrontend),
            static part => Assert.Equal(
                $"\"arguments\":{part.Arguments[1]},\"id\":1}}", Line(Assert.Single(part.Commands)).Split(',', 2)[1]));
    }

    [Fact]
    public void Commands_WhatAMachineHasOnlyFromItsStart_AreAMistake()
    {
        QemuPart serial = QemuDevices.Translate(new ConsoleDevice(), s_board, [QemuHandle.Inherited(9)])[1];
        Assert.Throws<InvalidOperationException>(() => serial.Commands);
    }

    private static HostDevice HostDeviceOf(string id, string address, int group) => new(
        new DeviceId(id), PciAddress.TryParse(address, out PciAddress? parsed) ? parsed : throw new ArgumentException(address), group);

    private static string Command(string name, string arguments) => $$"""{"execute":"{{name}}","arguments":{{arguments}},"id":1}""";

    private static string Line(QmpCommand command) => Encoding.UTF8.GetString(command.ToLine(1)).TrimEnd('\n');
}
