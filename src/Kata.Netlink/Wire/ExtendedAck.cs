namespace Kata.Netlink;

/// <summary>What the kernel says about a refusal beside the number; all null where it says nothing.</summary>
internal readonly record struct ExtendedAck(string? Message, uint? Offset, uint? MissingType);
