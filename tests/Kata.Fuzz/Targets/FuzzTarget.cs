namespace Kata.Fuzz.Targets;

/// <summary>
/// A parser of untrusted bytes. It runs one input and returns how the parser answered: the type and text of the refusal it documents,
/// or a word for success. Every other exception is a finding.
/// </summary>
internal sealed record FuzzTarget(string Name, Func<byte[], Task<string>> RunAsync)
{
    /// <summary>A target that calls a parser and takes exceptions of one type as its answer.</summary>
    public static FuzzTarget Of<TRefusal>(string name, Action<byte[]> parse)
        where TRefusal : Exception =>
        new(name, input =>
        {
            try
            {
                parse(input);
                return Task.FromResult("accepted");
            }
            catch (TRefusal refusal)
            {
                return Task.FromResult(refusal.Message);
            }
        });
}
