namespace Kata.Fuzz.Targets;

/// <summary>Several small parsers under one name: the first byte chooses one, which gets the rest.</summary>
internal sealed class ChoiceTarget(string name, params Action<byte[]>[] parsers) : IFuzzTarget
{
    public string Name => name;

    public void Run(ReadOnlySpan<byte> input)
    {
        if (!input.IsEmpty)
        {
            parsers[input[0] % parsers.Length](input[1..].ToArray());
        }
    }
}
