namespace Kata.Bench.Networks;

/// <summary>Who serves on the bridge.</summary>
/// <param name="Name">In the figures' names.</param>
/// <param name="Address">Its address.</param>
/// <param name="Machine">The process of its QEMU; null where it is no machine.</param>
internal sealed record Station(string Name, string Address, int? Machine)
{
    public const string Kata = "kata";
    public const string Runc = "runc";
    public const string Bare = "bare";
}
