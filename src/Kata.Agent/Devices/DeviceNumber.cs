namespace Kata.Agent.Devices;

/// <summary>What the kernel knows a device by: makedev(3).</summary>
internal sealed record DeviceNumber(long Major, long Minor);
