using Kata.Configuration;
using Kata.Hypervisor.Qemu.Qmp;
using Kata.Oci;

namespace Kata.Fuzz.Targets;

/// <summary>Every parser that reads bytes of the guest, the network or a user's file.</summary>
internal static class AllTargets
{
    public static IReadOnlyList<FuzzTarget> List { get; } =
    [
        TtRpcServerTarget.Create(),
        FuzzTarget.Of<InvalidSpecException>("oci-spec", ParseSpec),
        FuzzTarget.Of<InvalidSpecException>("oci-process", input => OciJson.Write(OciJson.ParseProcess(input))),
        FuzzTarget.Of<ConfigurationException>("configuration", ParseConfiguration),
        FuzzTarget.Of<ConfigurationException>("allow-pattern", MatchPattern),
        FuzzTarget.Of<QmpProtocolException>("qmp", input => QmpMessage.Parse(input)),
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
