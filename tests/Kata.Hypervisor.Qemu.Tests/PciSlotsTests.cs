namespace Kata.Hypervisor.Qemu.Tests;

public sealed class PciSlotsTests
{
    [Fact]
    public void Take_UntilNoneIsFree_GivesEachOnceAndTheReleasedOneAgain()
    {
        var slots = new PciSlots();
        int?[] taken = [.. Enumerable.Range(0, 32).Select(number => slots.Take(new DeviceId($"d{number}")))];

        Assert.Equal([.. Enumerable.Range(1, 31).Cast<int?>(), null], taken);
        slots.Release(new DeviceId("d4"));
        Assert.Equal(5, slots.Take(new DeviceId("other")));
        Assert.Null(slots.Take(new DeviceId("another")));
    }

    [Fact]
    public void Take_DeviceOfTheHost_HasAPortWhileOneIsFree()
    {
        var slots = new PciSlots(ports: 2);
        Assert.Equal(1, slots.Take(new DeviceId("disk")));
        Assert.Equal(
            [32, 33, 2], Enumerable.Range(0, 3).Select(number => slots.Take(new DeviceId($"host{number}"), isOfHost: true)));
        slots.Release(new DeviceId("host1"));
        Assert.Equal(33, slots.Take(new DeviceId("other"), isOfHost: true));
    }
}
