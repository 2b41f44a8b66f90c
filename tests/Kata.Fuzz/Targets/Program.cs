using System.Globalization;
using SharpFuzz;

namespace Kata.Fuzz.Targets;

/// <summary>
/// <c>Kata.Fuzz.Targets TARGET --seconds N [--seed S] [--corpus FOLDER]</c> mutates the corpus in this process;
/// <c>Kata.Fuzz.Targets TARGET FILE</c> runs one input, for a finding; <c>Kata.Fuzz.Targets TARGET --afl</c> serves afl-fuzz.
/// </summary>
internal static class Program
{
    private static readonly IFuzzTarget[] s_targets =
    [
        new TtRpcFrameTarget(),
        new TtRpcServerTarget(),
        new TtRpcClientTarget(),
    ];

    private static int Main(string[] args)
    {
        IFuzzTarget? target = s_targets.FirstOrDefault(t => args.Length > 1 && t.Name == args[0]);
        if (target is null)
        {
            Console.Error.WriteLine(
                $"Usage: Kata.Fuzz.Targets TARGET (--seconds N [--seed S] [--corpus FOLDER] | FILE | --afl), with TARGET one of "
                + string.Join(", ", s_targets.Select(t => t.Name)));
            return 2;
        }

        if (args[1] == "--afl")
        {
            Fuzzer.OutOfProcess.Run(stream =>
            {
                using var memory = new MemoryStream();
                stream.CopyTo(memory);
                target.Run(memory.ToArray());
            });
            return 0;
        }

        if (File.Exists(args[1]))
        {
            target.Run(File.ReadAllBytes(args[1]));
            return 0;
        }

        int seconds = int.Parse(Option(args, "--seconds") ?? "10", CultureInfo.InvariantCulture);
        int seed = int.Parse(Option(args, "--seed") ?? "1", CultureInfo.InvariantCulture);
        string corpus = Option(args, "--corpus") ?? FindCorpus(target.Name);
        return new MutationLoop(target, corpus, seed).Run(TimeSpan.FromSeconds(seconds)) ? 0 : 1;
    }

    private static string? Option(string[] args, string name)
    {
        int index = Array.IndexOf(args, name);
        return index >= 0 && index + 1 < args.Length ? args[index + 1] : null;
    }

    /// <summary>The repository's corpus, from wherever in it the program runs or was built.</summary>
    private static string FindCorpus(string name)
    {
        foreach (string start in (string[])[Environment.CurrentDirectory, AppContext.BaseDirectory])
        {
            for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
            {
                string candidate = Path.Combine(folder.FullName, "tests", "Kata.Fuzz", "Corpora", name);
                if (Directory.Exists(candidate)) return candidate;
            }
        }

        throw new DirectoryNotFoundException($"Cannot find the seeds of '{name}'. Give their folder with --corpus");
    }
}
