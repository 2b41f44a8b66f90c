using Kata.Testing;

namespace Kata.TtRpc.Tests;

/// <summary>The sample of the package's README compiles (ReadmeSample.cs), works, and is what the README shows.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public async Task Sample_Run_Greets()
    {
        (InMemoryDuplex near, InMemoryDuplex far) = InMemoryDuplex.CreatePair();
        Task serving = Sample.ServeAsync(far, TestContext.Current.CancellationToken);
        Assert.Equal("Hello, you", await Sample.GreetAsync(near, "you").Within());
        await serving.Within();
    }

    [Fact]
    public void Sample_InTheReadme_IsTheOneThatCompiles()
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Kata.slnx")))
            root = Path.GetDirectoryName(root) ?? throw new DirectoryNotFoundException("Kata.slnx");
        string readme = File.ReadAllText(Path.Combine(root, "src", "Kata.TtRpc", "README.md"));
        string sample = File.ReadAllText(Path.Combine(root, "tests", "Kata.TtRpc.Tests", "ReadmeSample.cs"));
        Assert.Contains(sample[sample.IndexOf("internal", StringComparison.Ordinal)..], readme);
    }
}
