using Kata.Linux;

namespace Kata.Network.Tests;

/// <summary>Devices that change their drivers, and what happens when they do not, in a sysfs of the test's own.</summary>
public sealed class PciBusTests : IDisposable
{
    private const string Card = "0000:00:05.0", Other = "0000:00:05.1", Bridge = "0000:00:1c.0";

    private readonly FakeSysfs _sysfs = new();
    private readonly PciBus _bus;
    private readonly PciAddress _card = Address(Card);

    public PciBusTests()
    {
        _bus = new PciBus(_sysfs.Root, _sysfs.Write);
        _sysfs.AddDriver(PciBus.VfioDriver);
        _sysfs.AddDevice(Card, "igb", group: 7);
    }

    public void Dispose() => _sysfs.Dispose();

    [Fact]
    public void GiveToVfio_AndBack_IsAsBefore()
    {
        _bus.GiveToVfio(_card);
        Assert.Equal(PciBus.VfioDriver, _sysfs.DriverOf(Card));
        Assert.Equal(
            [$"{Card}/driver_override=vfio-pci", $"driver/unbind={Card}", $"pci/drivers_probe={Card}"], _sysfs.Writes);

        _bus.GiveBack(_card, "igb", forced: null);
        Assert.Equal("igb", _sysfs.DriverOf(Card));
        Assert.Equal("(null)", _sysfs.OverrideOf(Card));

        _sysfs.Writes.Clear();
        _bus.GiveBack(_card, "igb", forced: null);
        Assert.Equal([$"{Card}/driver_override="], _sysfs.Writes);
    }

    [Fact]
    public void GiveBack_OfOneThatSomebodyHadForced_ForcesItAgain()
    {
        _sysfs.AddDriver("mine");
        _sysfs.Write($"{_sysfs.PathOf(Card)}/driver_override", "mine\n");
        string? forced = _bus.OverrideOf(_card);
        Assert.Equal("mine", forced);
        _bus.GiveToVfio(_card);
        _bus.GiveBack(_card, "igb", forced);
        Assert.Equal(("igb", "mine"), (_sysfs.DriverOf(Card), _sysfs.OverrideOf(Card)));
    }

    [Fact]
    public void GiveBack_OfOneWithoutADriver_LeavesItWithout()
    {
        _sysfs.AddDevice(Other, driver: null, group: 8);
        _bus.GiveToVfio(Address(Other));
        _bus.GiveBack(Address(Other), driver: null, forced: null);
        Assert.Equal((null, "(null)"), (_sysfs.DriverOf(Other), _sysfs.OverrideOf(Other)));
    }

    [Fact]
    public void GiveBack_DeviceIsGone_DoesNothing()
    {
        _bus.GiveBack(Address("0000:00:06.0"), "igb", forced: null);
        Assert.Empty(_sysfs.Writes);
    }

    [Fact]
    public void GiveToVfio_NoSuchDriver_IsRefusedBeforeAnythingIsDone()
    {
        Directory.Delete($"{_sysfs.Root}/bus/pci/drivers/{PciBus.VfioDriver}");
        Assert.Contains("modprobe vfio-pci", Assert.Throws<IOException>(() => _bus.GiveToVfio(_card)).Message);
        Assert.Empty(_sysfs.Writes);
        Assert.Equal("igb", _sysfs.DriverOf(Card));
    }

    [Fact]
    public void GiveToVfio_DriverRefuses_IsUndone()
    {
        _sysfs.Refuse(PciBus.VfioDriver);
        Assert.Contains("from its driver 'igb'", Assert.Throws<IOException>(() => _bus.GiveToVfio(_card)).Message);
        Assert.Equal(("igb", "(null)"), (_sysfs.DriverOf(Card), _sysfs.OverrideOf(Card)));
    }

    [Fact]
    public void GiveToVfio_NeitherDriverTakesIt_SaysBothAndForcesNobody()
    {
        _sysfs.Refuse(PciBus.VfioDriver);
        _sysfs.Refuse("igb");
        Assert.Contains("it is not as before", Assert.Throws<IOException>(() => _bus.GiveToVfio(_card)).Message);
        Assert.Equal("(null)", _sysfs.OverrideOf(Card));
    }

    [Fact]
    public void GiveBack_DriverRefuses_CanBeRepeated()
    {
        _bus.GiveToVfio(_card);
        _sysfs.Refuse("igb");
        Assert.Throws<IOException>(() => _bus.GiveBack(_card, "igb", forced: null));
        Assert.Throws<IOException>(() => _bus.GiveBack(_card, "igb", forced: null));
        Assert.Equal((null, "(null)"), (_sysfs.DriverOf(Card), _sysfs.OverrideOf(Card)));
    }

    [Fact]
    public void UsersOfGroup_AreThoseWhoseDriversUseMemory()
    {
        Assert.Empty(_bus.UsersOfGroup(_card));
        _sysfs.AddDevice(Bridge, "shpchp", group: 7, type: "0x060400");
        _sysfs.AddDevice("0000:00:05.2", driver: null, group: 7);
        _sysfs.AddDevice("0000:00:05.3", PciBus.VfioDriver, group: 7);
        _sysfs.AddDevice("0000:00:06.0", "igb", group: 8);
        Assert.Empty(_bus.UsersOfGroup(_card));
        _sysfs.AddDevice(Other, "igb", group: 7);
        Assert.Equal([Address(Other)], _bus.UsersOfGroup(_card));
    }

    [Fact]
    public void GroupOf_IsItsNumberOrNone()
    {
        _sysfs.AddDevice(Other, "igb", group: null);
        Assert.Equal(7, _bus.GroupOf(_card));
        Assert.Null(_bus.GroupOf(Address(Other)));
        Assert.Empty(_bus.UsersOfGroup(Address(Other)));
        Assert.Null(_bus.NumberOfGroup(7));
        Directory.CreateDirectory($"{_sysfs.Root}/class/vfio/7");
        File.WriteAllText($"{_sysfs.Root}/class/vfio/7/dev", "243:1\n");
        Assert.Equal((243u, 1u), _bus.NumberOfGroup(7));
    }

    [Fact]
    public void Find_DeviceOfABus_IsItselfOrWhatCarriesIt()
    {
        Directory.CreateDirectory($"{_sysfs.PathOf(Card)}/virtio3/net/eth9");
        Directory.CreateDirectory($"{_sysfs.Root}/bus/virtio/devices");
        File.CreateSymbolicLink($"{_sysfs.Root}/bus/virtio/devices/virtio3", $"../../../devices/pci0000:00/{Card}/virtio3");
        File.CreateSymbolicLink($"{_sysfs.Root}/bus/virtio/devices/virtio4", "../../../devices/platform/LNRO0005:01/virtio4");

        Assert.Equal(_card, _bus.Find("pci", Card));
        Assert.Equal(_card, _bus.Find("virtio", "virtio3"));
        Assert.Null(_bus.Find("virtio", "virtio4"));
        Assert.Null(_bus.Find("virtio", "virtio5"));
        Assert.Null(_bus.Find("pci", "0000:00:07.0"));
        Assert.Null(_bus.Find("usb", "1-1:1.0"));
        Assert.Equal(["eth9"], _bus.InterfacesOf(_card));
    }

    [Fact]
    public void VirtualFunctionsOf_CardWithAndWithout_AreCounted()
    {
        Assert.Equal(0, _bus.VirtualFunctionsOf(_card));
        File.WriteAllText($"{_sysfs.PathOf(Card)}/sriov_numvfs", "4\n");
        Assert.Equal(4, _bus.VirtualFunctionsOf(_card));
    }

    private static PciAddress Address(string text) => PciAddress.TryParse(text, out PciAddress? address)
        ? address : throw new ArgumentException(text);
}
