namespace Kata.Hypervisor;

/// <summary>The guest's serial console; the driver makes its channel.</summary>
internal sealed record ConsoleDevice() : Device(new DeviceId("console"))
{
    public override DeviceKinds Kind => DeviceKinds.Console;

    public override int DescriptorCount => 0;
}
