namespace Kata.Fuzz.Targets;

/// <summary>
/// Something that reads untrusted bytes. To add one: implement this, add it to <see cref="Program"/>, and put inputs that are nearly right
/// into Corpora/NAME/.
/// </summary>
internal interface IFuzzTarget
{
    /// <summary>On the command line, and the folder of its seeds.</summary>
    string Name { get; }

    /// <summary>
    /// Feeds one input. Swallows exactly the exceptions that are documented for bad input; whatever else leaves it is a finding. Must
    /// not keep anything between inputs.
    /// </summary>
    void Run(ReadOnlySpan<byte> input);
}
