namespace Kata.Fuzz.Targets;

/// <summary>A parser that refuses bad input with one documented exception.</summary>
internal sealed class ParserTarget<TRefusal>(string name, Action<byte[]> parse) : IFuzzTarget
    where TRefusal : Exception
{
    public string Name => name;

    public void Run(ReadOnlySpan<byte> input)
    {
        try
        {
            parse(input.ToArray());
        }
        catch (TRefusal)
        {
            // the documented answer to bad input
        }
    }
}
