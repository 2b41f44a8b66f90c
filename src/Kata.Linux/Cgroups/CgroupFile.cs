namespace Kata.Linux;

/// <summary>One limit as the file of a control group that holds it.</summary>
/// <param name="Limit">The limit, by its name in the specification.</param>
/// <param name="Name">The file.</param>
/// <param name="Value">What is written; null for no limit.</param>
/// <param name="Unlimited">What takes a limit away that was set before; null where the value of the group above does.</param>
internal sealed record CgroupFile(string Limit, string Name, string? Value, string? Unlimited);
