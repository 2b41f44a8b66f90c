using System.Diagnostics;
using System.Security.Cryptography;

namespace Kata.Fuzz.Targets;

/// <summary>
/// Runs one target on its corpus and on mutations of it. An input that is answered in a way not seen before joins the inputs that are
/// mutated: error texts tell much of the way through a parser, without instrumentation.
/// </summary>
/// <remarks>A finding is an exception that the target does not document, no answer in time, or memory out of proportion.</remarks>
internal sealed class FuzzRunner(FuzzTarget target, string findings, int seed)
{
    private const long MaxAllocatedBytes = 128L * 1024 * 1024; // for inputs of at most 64 KiB; the parsers' own buffers are far smaller
    private static readonly TimeSpan s_answerLimit = TimeSpan.FromSeconds(10); // a machine under load; answers take microseconds

    private readonly List<byte[]> _inputs = [];
    private readonly HashSet<string> _answers = new(StringComparer.Ordinal);
    private readonly Mutator _mutator = new(seed);

    /// <returns>True when nothing was found.</returns>
    public async Task<bool> RunAsync(string corpus, TimeSpan duration)
    {
        foreach (string file in Directory.EnumerateFiles(corpus).Order(StringComparer.Ordinal))
        {
            _inputs.Add(await File.ReadAllBytesAsync(file));
        }

        long runs = 0;
        var clock = Stopwatch.StartNew();
        foreach (byte[] input in _inputs.ToArray())
        {
            if (!await TryAsync(input))
            {
                return false;
            }
        }

        while (clock.Elapsed < duration)
        {
            runs++;
            if (!await TryAsync(_mutator.Next(_inputs)))
            {
                return false;
            }
        }

        Console.WriteLine($"{target.Name,-16} {runs,9} inputs, {_answers.Count,5} different answers, nothing found (seed {seed})");
        return true;
    }

    private async Task<bool> TryAsync(byte[] input)
    {
        long before = GC.GetTotalAllocatedBytes();
        try
        {
            // On the pool, so that a parser that never returns is noticed too.
            string answer = await Task.Run(() => target.RunAsync(input)).WaitAsync(s_answerLimit);
            long allocated = GC.GetTotalAllocatedBytes() - before;
            if (allocated > MaxAllocatedBytes)
            {
                return Report(input, $"{allocated} bytes of memory for an input of {input.Length}");
            }

            if (_answers.Add(Shape(answer)))
            {
                _inputs.Add(input);
            }

            return true;
        }
        catch (TimeoutException)
        {
            return Report(input, $"no answer within {s_answerLimit.TotalSeconds} s");
        }
        catch (Exception error)
        {
            return Report(input, error.ToString());
        }
    }

    // Numbers and quoted values differ with every input; the sentence around them is what tells answers apart.
    private static string Shape(string answer)
    {
        bool quoted = false;
        return string.Concat(answer.Where(c =>
        {
            quoted ^= c == '\'';
            return !quoted && !char.IsAsciiDigit(c);
        }));
    }

    private bool Report(byte[] input, string what)
    {
        Directory.CreateDirectory(findings);
        string file = Path.Combine(findings, $"{target.Name}-{Convert.ToHexStringLower(SHA256.HashData(input))[..12]}");
        File.WriteAllBytes(file, input);
        Console.WriteLine($"{target.Name}: FOUND {what}");
        Console.WriteLine($"The input is in {file}; repeat with --target {target.Name} --input {file}");
        return false;
    }
}
