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

        Assert.Equal(
            [
                """{"execute":"add-fd","arguments":{"fdset-id":4097},"id":1}""",
                """{"execute":"blockdev-add","arguments":{"driver":"raw","node-name":"disk7-image","read-only":false,"discard":"unmap","""
                    + """"file":{"driver":"host_device","filename":"/dev/fdset/4097","read-only":false,"discard":"unmap"}},"id":1}""",
                """{"execute":"device_add","arguments":{"driver":"virtio-blk-pci","id":"disk7","drive":"disk7-image","serial":"disk7","""
                    + """"bus":"disks","addr":"0xa","disable-legacy":"on"},"id":1}""",
            ],
            parts.SelectMany(static part => part.Commands).Select(Line));
        Assert.Equal([0, null, null], parts.Select(static part => part.Passes));
        Assert.Equal(
            ["remove-fd", "blockdev-del"], parts.Select(static part => part.Removal).OfType<QmpCommand>().Select(static command => command.Name));
    }

    [Fact]
    public void Commands_Socket_PassTheDescriptorFirst()
    {
        var share = new FileShareDevice(new DeviceId("share2"), "tag");
        QemuPart socket = QemuDevices.Translate(share, s_board, [new QemuHandle("share2-0", 4098)])[0];

        Assert.Equal(
            [
                """{"execute":"getfd","arguments":{"fdname":"share2-0"},"id":1}""",
                """{"execute":"chardev-add","arguments":{"id":"share2-channel","backend":{"type":"socket","data":{"addr":{"type":"fd","""
                    + """"data":{"str":"share2-0"}},"server":false,"wait":false}}},"id":1}""",
            ],
            socket.Commands.Select(Line));
        Assert.Equal(0, socket.Passes);
    }

    /// <summary>One translation: what the command line says in JSON the control channel says in the same.</summary>
    [Fact]
    public void Arguments_OfEveryPartInJson_AreThoseOfItsCommand()
    {
        Device[] devices = [new RandomDevice(FromHostDevice: true), new DiskDevice(new DeviceId("disk1"), ReadOnly: true, IsBlockDevice: false)];
        QemuPart[] parts = [.. devices.SelectMany(device => QemuDevices.Translate(device, s_board, [QemuHandle.Inherited(9)], slot: 1))];

        Assert.All(
            parts.Where(static part => part is QemuObject or QemuBlockNode or QemuFrontend),
            static part => Assert.Contains($"\"arguments\":{part.Arguments[1]},", Line(Assert.Single(part.Commands)), StringComparison.Ordinal));
    }

    [Fact]
    public void Commands_WhatAMachineHasOnlyFromItsStart_AreAMistake()
    {
        QemuPart serial = QemuDevices.Translate(new ConsoleDevice(), s_board, [QemuHandle.Inherited(9)])[1];
        Assert.Throws<InvalidOperationException>(() => serial.Commands);
    }

    private static string Line(QmpCommand command) => Encoding.UTF8.GetString(command.ToLine(1)).TrimEnd('\n');
}
