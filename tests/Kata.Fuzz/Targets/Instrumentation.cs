using SharpFuzz;

namespace Kata.Fuzz.Targets;

/// <summary>Which code tells afl-fuzz where it has been: ours, and the TOML parser, behind which ours lies.</summary>
internal static class Instrumentation
{
    public static void Apply(string folder)
    {
        string self = typeof(Instrumentation).Namespace!;
        foreach (string file in Directory.GetFiles(folder, "*.dll").Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileNameWithoutExtension(file);
            if (name == self)
            {
                Instrument(file, static type => type == typeof(Canary).FullName); // the rest of it tests, and is not tested
            }
            else if (name is "kata-runtime" or "kata-agent" or "Tomlyn" || name.StartsWith("Kata.", StringComparison.Ordinal))
            {
                Instrument(file, static _ => true);
            }
        }
    }

    private static void Instrument(string file, Func<string, bool> matches)
    {
        int types = Fuzzer.Instrument(file, matches, Options.Value).Count();
        Console.WriteLine($"{Path.GetFileName(file)}: {types} types");
    }
}
