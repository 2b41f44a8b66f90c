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
            "bus":"disks","addr":"0xa","disable-legacy":"on"}
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
