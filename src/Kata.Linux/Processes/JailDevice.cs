namespace Kata.Linux;

/// <summary>A character device that a jailed process alone may open.</summary>
/// <param name="Path">Absolute, in the jail.</param>
/// <param name="Major">The number of its driver.</param>
/// <param name="Minor">Its number among the driver's.</param>
internal sealed record JailDevice(string Path, uint Major, uint Minor);
