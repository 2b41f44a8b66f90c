namespace Kata.Linux;

/// <summary>How fast a control group may use one block device.</summary>
/// <param name="Major">The device.</param>
/// <param name="Minor">The device.</param>
/// <param name="Kind">What is counted.</param>
/// <param name="PerSecond">Bytes or operations a second.</param>
internal sealed record CgroupDeviceLimit(long Major, long Minor, CgroupDeviceLimitKind Kind, ulong PerSecond);
