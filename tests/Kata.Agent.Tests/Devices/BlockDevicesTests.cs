using System.Text;
using Kata.Agent.Devices;

namespace Kata.Agent.Tests;

public sealed class BlockDevicesTests : IDisposable
{
    private const string Root = "pci0000:00";

    private readonly FakeSys _sys = new();
    private readonly HashSet<string> _hidden = [];
    private readonly BlockDevices _devices;

    public BlockDevicesTests()
    {
        _devices = new BlockDevices(_sys.Path, node => !_hidden.Contains(node));
        _sys.AddDisk("vda", $"{Root}/0000:00:02.0/virtio0", "root"u8.ToArray());
        _sys.AddDisk("vdb", $"{Root}/0000:00:02.1/0000:01:0a.0/virtio1", "volume 1\n"u8.ToArray());
        _sys.AddDisk("vdc", "platform/LNRO0005:00/virtio2", []);
        _sys.AddPartition("vdb", "vdb1", $"{Root}/0000:00:02.1/0000:01:0a.0/virtio1");
        _sys.AddDisk("sda", $"{Root}/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0"); // no virtio
    }

    public void Dispose() => _sys.Dispose();

    [Theory]
    [InlineData("root", "/dev/vda")]
    [InlineData("volume 1", "/dev/vdb")]
    [InlineData("volume", null)]
    [InlineData("ROOT", null)]
    public void FindSerial_Disks_ByTheWholeNumber(string serial, string? expected) => Assert.Equal(expected, _devices.FindSerial(serial));

    [Theory]
    [InlineData("02", "/dev/vda")]
    [InlineData("02.1/0a", "/dev/vdb")]
    [InlineData("02.1", null)] // the bridge
    [InlineData("02/0a", null)]
    [InlineData("02.1/0b", null)]
    [InlineData("1f.2", null)] // has a disk, of another kind
    public void FindPci_Disks_ByTheirPlace(string path, string? expected) => Assert.Equal(expected, _devices.FindPci(PciPath.Parse(path)!));

    [Theory]
    [InlineData("/dev/vdc", "/dev/vdc")]
    [InlineData("/dev/vdb1", "/dev/vdb1")]
    [InlineData("/dev/vdd", null)]
    [InlineData("/dev/null", null)]
    public void FindNode_DisksAndPartitions_ByName(string node, string? expected) => Assert.Equal(expected, _devices.FindNode(node));

    [Fact]
    public void Find_DiskCannotBeOpenedYet_IsNotThere()
    {
        _hidden.Add("/dev/vda");
        Assert.Null(_devices.FindSerial("root"));
        Assert.Null(_devices.FindPci(PciPath.Parse("02")!));
        Assert.Null(_devices.FindNode("/dev/vda"));
    }

    [Fact]
    public void FindSerial_NumberOfAnotherKindOfDisk_IsReadToABound()
    {
        _sys.AddDisk("sdb", $"{Root}/0000:00:1f.3/ata2", Encoding.ASCII.GetBytes(new string('9', 10_000)));
        _sys.AddDisk("sdc", $"{Root}/0000:00:1f.4/ata2", [0xff, 0xfe, 0, (byte)'x']);
        Assert.Null(_devices.FindSerial(new string('9', 10_000)));
        Assert.Contains($"'/dev/sdb' (serial number '{new string('9', 256)}'", _devices.Describe());
    }

    [Theory]
    [InlineData("254:16", 254, 16)]
    [InlineData("4294967295:0", uint.MaxValue, 0)]
    public void NumberOf_Node_IsTheKernels(string text, long major, long minor)
    {
        _sys.AddDisk("vdx", "platform/x", number: text);
        Assert.Equal(new DeviceNumber(major, minor), _devices.NumberOf("/dev/vdx"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("254")]
    [InlineData("254:")]
    [InlineData("-1:0")]
    [InlineData("1:2:3")]
    public void NumberOf_NoNumber_IsNotFound(string text)
    {
        _sys.AddDisk("vdx", "platform/x", number: text);
        Assert.Equal(Grpc.Core.StatusCode.NotFound, Assert.Throws<Grpc.Core.RpcException>(() => _devices.NumberOf("/dev/vdx")).StatusCode);
        Assert.Throws<Grpc.Core.RpcException>(() => _devices.NumberOf("/dev/gone"));
    }

    [Fact]
    public void Find_NoSystem_IsNothing()
    {
        var none = new BlockDevices(Path.Combine(_sys.Path, "missing"), static _ => true);
        Assert.Null(none.FindSerial("root"));
        Assert.Null(none.FindPci(PciPath.Parse("02")!));
        Assert.Null(none.FindNode("/dev/vda"));
        Assert.Equal("The guest has no block device", none.Describe());
    }

    [Fact]
    public void Describe_Disks_SaysWhatEachCanBeFoundBy() => Assert.Equal(
        "The guest has '/dev/sda' (PCI path '1f.2'), '/dev/vda' (serial number 'root', PCI path '02'), "
        + "'/dev/vdb' (serial number 'volume 1', PCI path '02.1/0a'), '/dev/vdc'",
        _devices.Describe());

    [Fact]
    public void Describe_ManyDisks_HasAnEnd()
    {
        for (int i = 0; i < 100; i++)
        {
            _sys.AddDisk($"vdx{i}", $"platform/x{i}");
        }

        string text = _devices.Describe();
        Assert.EndsWith(" and more", text);
        Assert.Equal(16, text.Split("'/dev/").Length - 1);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" x")]
    [InlineData("123456789012345678901")]
    [InlineData("a\nb")]
    public void OfSerial_NumberThatNoDiskHas_IsRefused(string serial) =>
        Assert.Throws<Grpc.Core.RpcException>(() => BlockDeviceName.OfSerial(serial));

    [Theory]
    [InlineData("vda")]
    [InlineData("/dev/")]
    [InlineData("/dev/..")]
    [InlineData("/dev/../etc/passwd")]
    [InlineData("/dev/mapper/x")]
    [InlineData("/sys/block/vda")]
    [InlineData("")]
    public void OfNode_NoNode_IsRefused(string node) => Assert.Throws<Grpc.Core.RpcException>(() => BlockDeviceName.OfNode(node));

    [Fact]
    public void Of_EachKind_FindsItsDevice()
    {
        Assert.Equal("/dev/vda", BlockDeviceName.OfSerial("root").Find(_devices));
        Assert.Equal("/dev/vdb", BlockDeviceName.OfPci("02.1/0a").Find(_devices));
        Assert.Equal("/dev/vdc", BlockDeviceName.OfNode("/dev/vdc").Find(_devices));
        Assert.Throws<Grpc.Core.RpcException>(() => BlockDeviceName.OfPci("x"));
    }
}
