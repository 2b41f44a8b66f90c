namespace Kata.Integration.Tests.Faults;

/// <summary>How a command ended and what it printed.</summary>
internal sealed record Outcome(int Code, string Output, string Error)
{
    public override string ToString() => $"exit {Code}\nstdout: {Output}\nstderr: {Error}";

    /// <summary>
    /// It failed with exit code 1, <c>exec</c> with 255, and said <paramref name="text"/> and nothing else but
    /// warnings. A '*' at the end stands for any rest.
    /// </summary>
    public void AssertRefused(string text, int code = 1)
    {
        string[] lines = [.. Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(static line =>
            !line.StartsWith("kata-runtime: warning: ", StringComparison.Ordinal))];
        Assert.True(Code == code, ToString());
        string line = Assert.Single(lines);
        Assert.Equal($"kata-runtime: {text}", text.EndsWith('*') ? line[..Math.Min(line.Length, text.Length + 13)] + "*" : line);
        Assert.Equal("", Output);
    }
}
