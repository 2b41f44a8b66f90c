namespace Kata.Hypervisor;

/// <summary>The guest's source of random numbers.</summary>
/// <param name="FromHostDevice">
/// True: its one descriptor is a character device, opened for reading without waiting. False: the host kernel's own generator, which needs
/// none (getrandom(2)).
/// </param>
internal sealed record RandomDevice(bool FromHostDevice) : Device(new DeviceId("random"))
{
    public override DeviceKinds Kind => DeviceKinds.Random;

    public override int DescriptorCount => FromHostDevice ? 1 : 0;
}
