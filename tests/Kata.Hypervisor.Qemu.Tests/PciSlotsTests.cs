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
}
