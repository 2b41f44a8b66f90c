using System.Diagnostics;
using Kata.Fuzz.Targets;

namespace Kata.Fuzz.Tests;

/// <summary>Every input that is kept, without afl-fuzz: what was found once stays mended.</summary>
public sealed class CorpusTests
{
    private const long MaxBytes = 1 << 20;

    // For one input; none comes near on a machine that is not overwhelmed.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private static string Corpora { get; } = FindCorpora();

    public static TheoryData<string> Targets => [.. FuzzTargets.Names];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Run_EveryInputThatIsKept_IsNoFinding(string name)
    {
        IFuzzTarget target = FuzzTargets.Find(name)!;
        string[] files = Directory.GetFiles(Path.Combine(Corpora, name));
        Assert.NotEmpty(files);
        foreach (string file in files.Order(StringComparer.Ordinal))
        {
            long start = Stopwatch.GetTimestamp();
            Exception? finding = Record.Exception(() => BoundedRun.Run(target, File.ReadAllBytes(file)));
            Assert.True(finding is null, $"{file}: {finding}");
            Assert.True(Stopwatch.GetElapsedTime(start) < s_limit, $"{file} takes {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s");
        }
    }

    [Fact]
    public void Corpora_AreThoseOfTheTargets_AndSmall()
    {
        Assert.Equal(FuzzTargets.Names, Directory.GetDirectories(Corpora).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        long bytes = Directory.GetFiles(Corpora, "*", SearchOption.AllDirectories).Sum(static file => new FileInfo(file).Length);
        Assert.True(
            bytes <= MaxBytes,
            $"the corpora have {bytes} bytes, and at most {MaxBytes} are kept: take out what 'scripts/fuzz --keep' does not need");
    }

    [Fact]
    public void Run_TargetWithAnError_IsAFinding() => // or everything above could pass for nothing
        Assert.Throws<Finding>(() => BoundedRun.Run(FuzzTargets.Find(Canary.TargetName)!, "Kata1"u8.ToArray()));

    [Fact]
    public void Run_MuchMemoryForLittleInput_IsAFinding()
    {
        var greedy = new ChoiceTarget("greedy", static _ => GC.KeepAlive(new byte[64 << 20]));
        Assert.Contains("bytes of memory", Assert.Throws<Finding>(() => BoundedRun.Run(greedy, [0])).Message);
    }

    private static string FindCorpora()
    {
        string? root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Kata.slnx")))
        {
            root = Path.GetDirectoryName(root)
                ?? throw new InvalidOperationException($"Cannot find the corpora: no Kata.slnx above '{AppContext.BaseDirectory}'");
        }

        return Path.Combine(root, "tests/Kata.Fuzz/Corpora");
    }
}
