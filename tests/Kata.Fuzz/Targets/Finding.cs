namespace Kata.Fuzz.Targets;

/// <summary>A property that does not hold. No target expects it.</summary>
internal sealed class Finding(string what) : Exception(what)
{
    /// <exception cref="Finding">It does not hold.</exception>
    public static void Unless(bool holds, string what)
    {
        if (!holds)
        {
            throw new Finding(what);
        }
    }
}
