using System.Text;
using Kata.Hypervisor.Qemu.Qmp;

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

    private static string Command(string name, string arguments) => $$"""{"execute":"{{name}}","arguments":{{arguments}},"id":1}""";

    private static string Line(QmpCommand command) => Encoding.UTF8.GetString(command.ToLine(1)).TrimEnd('\n');
}
