using Kata.Agent.Devices;

namespace Kata.Agent.Tests;

public sealed class PciPathTests
{
    [Theory]
    [InlineData("02", "02.0")]
    [InlineData("02/0a", "02.0,0a.0")]
    [InlineData("1f.7/00.1", "1f.7,00.1")]
    public void Parse_Path_IsTheDevicesOnTheWay(string text, string devices)
    {
        PciPath path = PciPath.Parse(text)!;
        Assert.Equal(devices.Split(','), path.Devices);
        Assert.Equal(text, path.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("2")]
    [InlineData("002")]
    [InlineData("20")] // a bus has 32 devices
    [InlineData("0A")] // the kernel's addresses have small letters
    [InlineData("02/")]
    [InlineData("/02")]
    [InlineData("02//0a")]
    [InlineData("02.8")]
    [InlineData("02.0.0")]
    [InlineData("02.")]
    [InlineData(" 2")]
    [InlineData("+2")]
    [InlineData("..")]
    [InlineData("02/../03")]
    [InlineData("0000:00:02.0")]
    [InlineData("02\0")]
    public void Parse_NoPath_IsNull(string text) => Assert.Null(PciPath.Parse(text));

    [Fact]
    public void Parse_MoreBridgesThanAMachineHas_IsNull()
    {
        Assert.NotNull(PciPath.Parse(string.Join('/', Enumerable.Repeat("01", 16))));
        Assert.Null(PciPath.Parse(string.Join('/', Enumerable.Repeat("01", 17))));
        Assert.Null(PciPath.Parse(new string('/', 1_000_000)));
    }

    [Theory]
    [InlineData("../devices/pci0000:00/0000:00:02.0/0000:01:0a.0/virtio3/block/vdb", "02/0a")]
    [InlineData("../devices/pci0000:00/0000:00:03.1/virtio3/block/vdb", "03.1")]
    public void OfDevice_OnTheBus_IsItsPath(string path, string expected) => Assert.Equal(expected, PciPath.OfDevice(path)?.ToString());

    [Theory]
    [InlineData("../devices/platform/LNRO0005:00/virtio0/block/vda")]
    [InlineData("../devices/virtual/block/loop0")]
    [InlineData("")]
    public void OfDevice_OnNoBus_IsNull(string path) => Assert.Null(PciPath.OfDevice(path));
}
