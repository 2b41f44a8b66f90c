namespace Kata.Bench.Networks;

/// <summary>Who serves on the bridge.</summary>
/// <param name="Name">In the figures' names.</param>
/// <param name="Address">Its address.</param>
internal sealed record Station(string Name, string Address)
{
    public const string Kata = "kata";
    public const string Runc = "runc";
    public const string Bare = "bare";
}
