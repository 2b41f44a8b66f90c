using SharpFuzz;

namespace Kata.Fuzz.Targets;

/// <summary>
/// <c>Kata.Fuzz.Targets TARGET FILE...</c> runs inputs, for a finding; <c>Kata.Fuzz.Targets TARGET --afl [FILE...]</c> serves afl-fuzz,
/// after it has run the files, so that what happens once in a process is no coverage of the first input, and adds what it finds to the file
/// that <c>FUZZ_ERRORS</c> names, for one that does not come again;
/// <c>Kata.Fuzz.Targets --instrument FOLDER</c> makes the assemblies there tell afl-fuzz where they have been;
/// <c>Kata.Fuzz.Targets --list</c> names the targets.
/// </summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        Trace.Discard();
        switch (args)
        {
            case ["--list"]:
                Console.WriteLine(string.Join('\n', FuzzTargets.Names));
                return 0;
            case ["--instrument", var folder]:
                Instrumentation.Apply(folder);
                return 0;
            case [var name, "--afl", .. var warmUp] when FuzzTargets.Find(name) is { } target:
                Array.ForEach(warmUp, file => BoundedRun.Run(target, File.ReadAllBytes(file)));
                Fuzzer.OutOfProcess.Run(stream =>
                {
                    using var memory = new MemoryStream();
                    stream.CopyTo(memory);
                    Trace.Begin();
                    try
                    {
                        BoundedRun.Run(target, memory.ToArray());
                    }
                    catch (Exception finding) when (Environment.GetEnvironmentVariable("FUZZ_ERRORS") is { } errors)
                    {
                        File.AppendAllText(errors, $"{finding}\n");
                        throw;
                    }
                });
                return 0;
            case [var name, _, ..] when FuzzTargets.Find(name) is { } target:
                return RunAll(target, args[1..]);
            default:
                Console.Error.WriteLine(
                    "Usage: Kata.Fuzz.Targets (TARGET FILE... | TARGET --afl [FILE...] | --instrument FOLDER | --list), with TARGET one of "
                    + string.Join(", ", FuzzTargets.Names));
                return 2;
        }
    }

    private static int RunAll(IFuzzTarget target, string[] files)
    {
        foreach (string file in files)
        {
            try
            {
                BoundedRun.Run(target, File.ReadAllBytes(file));
            }
            catch (Exception finding)
            {
                Console.Error.WriteLine($"{target.Name}: '{file}' is a finding: {finding}");
                return 1;
            }
        }

        return 0;
    }
}
