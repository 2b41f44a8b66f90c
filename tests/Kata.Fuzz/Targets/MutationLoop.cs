using System.Diagnostics;

namespace Kata.Fuzz.Targets;

/// <summary>
/// A fuzzer for machines without afl: mutates seeds until the time is up. A finding is an exception that the target does not expect, an
/// input that takes longer than the limit, or memory that stays. The input of a finding is written next to the program.
/// </summary>
internal sealed class MutationLoop(IFuzzTarget target, string corpus, int seed)
{
    private const long AllowedGrowthBytes = 64 * 1024 * 1024;

    private static readonly TimeSpan s_inputLimit = TimeSpan.FromSeconds(5);

    private readonly Random _random = new(seed);
    private byte[] _current = [];
    private long _startedAt;

    /// <returns>False after a finding.</returns>
    public bool Run(TimeSpan duration)
    {
        List<byte[]> seeds = [.. Directory.GetFiles(corpus).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];
        if (seeds.Count == 0) seeds.Add([]);
        foreach (byte[] input in seeds)
        {
            if (!TryRun(input)) return false;
        }

        using var watchdog = new Timer(_ => EndIfHanging(), null, s_inputLimit, TimeSpan.FromSeconds(1));
        long before = GC.GetTotalMemory(forceFullCollection: true);
        long inputs = 0;
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < duration)
        {
            byte[] input = Mutate(seeds);
            if (!TryRun(input)) return false;
            if (++inputs % 5000 != 0) continue;
            long growth = GC.GetTotalMemory(forceFullCollection: true) - before;
            if (growth > AllowedGrowthBytes) return Report($"{growth} bytes stay after {inputs} inputs", null);
        }

        Console.WriteLine($"{target.Name}: {inputs} inputs in {clock.Elapsed.TotalSeconds:F0} s, seed {seed}, no finding");
        return true;
    }

    private bool TryRun(byte[] input)
    {
        _current = input;
        Volatile.Write(ref _startedAt, Stopwatch.GetTimestamp());
        try
        {
            target.Run(input);
            return true;
        }
        catch (Exception exception)
        {
            return Report("an exception that is not documented", exception);
        }
        finally
        {
            Volatile.Write(ref _startedAt, 0);
        }
    }

    private void EndIfHanging()
    {
        long startedAt = Volatile.Read(ref _startedAt);
        if (startedAt == 0 || Stopwatch.GetElapsedTime(startedAt) < s_inputLimit) return;
        Report($"an input takes longer than {s_inputLimit.TotalSeconds} s", null);
        Environment.Exit(1);
    }

    private bool Report(string what, Exception? exception)
    {
        string file = Path.Combine(AppContext.BaseDirectory, $"finding-{target.Name}-{seed}.bin");
        File.WriteAllBytes(file, _current);
        Console.Error.WriteLine($"{target.Name}: {what}. The input is in '{file}'\n{exception}");
        return false;
    }

    private byte[] Mutate(List<byte[]> seeds)
    {
        var bytes = new List<byte>(seeds[_random.Next(seeds.Count)]);
        for (int i = _random.Next(1, 6); i > 0; i--)
            MutateOnce(bytes, seeds);
        return [.. bytes.Take(1 << 20)];
    }

    private void MutateOnce(List<byte> bytes, List<byte[]> seeds)
    {
        int at = _random.Next(bytes.Count + 1);
        int count = Math.Min(_random.Next(1, 16), bytes.Count - at);
        switch (_random.Next(8))
        {
            case 0 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1 when at < bytes.Count:
                bytes[at] = (byte)_random.Next(256);
                break;
            case 2 when at < bytes.Count: // interesting numbers
                bytes[at] = (byte)(_random.Next(6) switch { 0 => 0, 1 => 0xff, 2 => 0x7f, 3 => 0x80, 4 => 1, _ => bytes[at] + 1 });
                break;
            case 3:
                bytes.RemoveRange(at, Math.Max(0, count));
                break;
            case 4:
                byte[] random = new byte[_random.Next(1, 16)];
                _random.NextBytes(random);
                bytes.InsertRange(at, random);
                break;
            case 5 when count > 0: // a piece again
                bytes.InsertRange(at, bytes.GetRange(at, count));
                break;
            case 6: // another seed here
                bytes.InsertRange(at, seeds[_random.Next(seeds.Count)]);
                break;
            case 7:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
        }
    }
}
