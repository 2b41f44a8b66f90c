namespace Kata.Fuzz.Targets;

/// <summary>
/// A target with known errors, which <c>scripts/fuzz --prove</c> must find: a fuzzer that finds nothing anywhere looks like one without
/// findings. Behind four letters, which guessing alone would take 2^32 attempts for.
/// </summary>
internal sealed class Canary : IFuzzTarget
{
    public const string TargetName = "canary";

    public string Name => TargetName;

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < 5 || input[0] != 'K') return;
        if (input[1] != 'a') return;
        if (input[2] != 't') return;
        if (input[3] != 'a') return;
        if (input[4] < 0x80) throw new Finding("the first error");
        Descend(input); // ends the process, which nothing in it can catch
    }

    private static int Descend(ReadOnlySpan<byte> input) => 1 + Descend(input) + input.Length;
}
