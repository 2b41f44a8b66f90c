using Kata.Configuration;
using Kata.Hypervisor.Qemu.Qmp;
using Kata.Oci;

namespace Kata.Fuzz.Targets;

/// <summary>The parsers that read bytes of the guest or of a user's file in one go.</summary>
internal static class Parsers
{
    public static IReadOnlyList<IFuzzTarget> List { get; } =
    [
        new ParserTarget<InvalidSpecException>("oci-spec", ParseSpec),
        new ParserTarget<InvalidSpecException>("oci-process", input => OciJson.Write(OciJson.ParseProcess(input))),
        new ParserTarget<ConfigurationException>("configuration", ParseConfiguration),
        new ParserTarget<ConfigurationException>("allow-pattern", MatchPattern),
        new ParserTarget<QmpProtocolException>("qmp", input => QmpMessage.Parse(input)),
    ];

    // What is accepted is written and read again: the second reading must accept it too.
    private static void ParseSpec(byte[] input)
    {
        RuntimeSpec spec = OciJson.ParseSpec(input);
        byte[] written = OciJson.Write(spec);
        byte[] again;
        try
        {
            again = OciJson.Write(OciJson.ParseSpec(written));
        }
        catch (InvalidSpecException refusal)
        {
            throw new InvalidOperationException("What was written is refused", refusal);
        }

        if (!written.AsSpan().SequenceEqual(again))
        {
            throw new InvalidOperationException("What was written reads as something else");
        }

        _ = SpecValidator.Validate(spec);
    }

    private static void ParseConfiguration(byte[] input) =>
        KataConfiguration.Load(new ConfigurationSources
        {
            ExplicitPath = OneFile.Path,
            InstallPrefix = "/usr",
            HostCpuCount = 2,
            Files = new OneFile(input),
        });

    // The first line is the pattern, the rest what it is searched in.
    private static void MatchPattern(byte[] input)
    {
        string[] parts = System.Text.Encoding.UTF8.GetString(input).Split('\n', 2);
        if (AllowPattern.TryParse(parts[0], out AllowPattern? pattern, out _))
        {
            _ = pattern!.IsMatch(parts[^1]);
        }
    }
}
