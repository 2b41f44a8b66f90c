using Kata.Oci;

namespace Kata.Fuzz.Targets;

/// <summary>What is accepted is written and read again: the second reading accepts it too, and it is the same.</summary>
internal static class OciDocuments
{
    public static void ParseSpec(byte[] input)
    {
        RuntimeSpec spec = OciJson.ParseSpec(input);
        CheckRoundTrip(OciJson.Write(spec), static written => OciJson.Write(OciJson.ParseSpec(written)));
        _ = SpecValidator.Validate(spec);
    }

    public static void ParseProcess(byte[] input) =>
        CheckRoundTrip(OciJson.Write(OciJson.ParseProcess(input)), static written => OciJson.Write(OciJson.ParseProcess(written)));

    public static void CheckRoundTrip(byte[] written, Func<byte[], byte[]> readAndWrite)
    {
        byte[] again;
        try
        {
            again = readAndWrite(written);
        }
        catch (InvalidSpecException refusal)
        {
            throw new Finding($"what was written is refused: {refusal.Message}");
        }

        Finding.Unless(written.AsSpan().SequenceEqual(again), "what was written reads as something else");
    }
}
