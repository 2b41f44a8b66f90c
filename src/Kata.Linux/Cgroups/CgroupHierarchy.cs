namespace Kata.Linux;

/// <summary>One mounted control group hierarchy.</summary>
/// <param name="MountPoint">Where it is mounted.</param>
/// <param name="IsUnified">True for version 2.</param>
/// <param name="Controllers">Of version 1: what it controls, or its name as <c>name=systemd</c>.</param>
/// <param name="SelfDirectory">The directory of the process that was asked about.</param>
internal sealed record CgroupHierarchy(string MountPoint, bool IsUnified, IReadOnlyList<string> Controllers, string SelfDirectory);
