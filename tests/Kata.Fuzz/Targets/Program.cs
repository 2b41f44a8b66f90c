using System.Globalization;
using SharpFuzz;

namespace Kata.Fuzz.Targets;

/// <summary>
/// <c>[--seconds N] [--target NAME] [--seed N] [--corpora DIR] [--findings DIR]</c> runs the targets for N seconds each;
/// <c>--target NAME --input FILE</c> runs one input; <c>--target NAME --libfuzzer</c> serves libfuzzer-dotnet, for an instrumented build.
/// </summary>
internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        FuzzTarget[] chosen = [.. AllTargets.List.Where(target => Option(arguments, "--target", target.Name) == target.Name)];
        if (chosen.Length == 0)
        {
            Console.Error.WriteLine($"Cannot find the target '{Option(arguments, "--target", "")}': it is unknown. Name one of {string.Join(", ", AllTargets.List.Select(target => target.Name))}");
            return 2;
        }

        if (arguments.Contains("--libfuzzer"))
        {
            Fuzzer.LibFuzzer.Run(span => chosen[0].RunAsync(span.ToArray()).GetAwaiter().GetResult());
            return 0;
        }

        if (Option(arguments, "--input", "") is { Length: > 0 } file)
        {
            Console.WriteLine(await chosen[0].RunAsync(await File.ReadAllBytesAsync(file)));
            return 0;
        }

        var duration = TimeSpan.FromSeconds(Number(arguments, "--seconds", 60));
        int seed = Number(arguments, "--seed", Random.Shared.Next());
        string corpora = Option(arguments, "--corpora", "tests/Kata.Fuzz/Corpora");
        string findings = Option(arguments, "--findings", "artifacts/fuzz");
        bool clean = true;
        foreach (FuzzTarget target in chosen)
        {
            clean &= await new FuzzRunner(target, findings, seed).RunAsync(Path.Combine(corpora, target.Name), duration);
        }

        return clean ? 0 : 1;
    }

    private static string Option(string[] arguments, string name, string otherwise)
    {
        int at = Array.IndexOf(arguments, name);
        return at >= 0 && at + 1 < arguments.Length ? arguments[at + 1] : otherwise;
    }

    private static int Number(string[] arguments, string name, int otherwise) =>
        int.TryParse(Option(arguments, name, ""), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : otherwise;
}
