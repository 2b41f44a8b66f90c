namespace Kata.Repo.Tests;

/// <summary>The agent is built without .NET's texts, so that a message of .NET's is the name of one: it must not reach anybody.</summary>
public sealed class AgentTextTests
{
    // What is our own text, whatever failed.
    private static readonly string[] s_ownTexts = ["KernelModules.cs: logger.ModuleNotLoaded(path, error.Message);"]; // a LinuxException's

    [Fact]
    public void Agent_MessagesOfExceptions_AreReadInOnePlace()
    {
        string[] found = [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "src/Kata.Agent"), "*.cs", SearchOption.AllDirectories)
            .Where(static file => Path.GetFileName(file) != "ErrorText.cs")
            .SelectMany(static file => File.ReadLines(file)
                .Where(static line => line.Contains("error.Message", StringComparison.Ordinal))
                .Select(line => $"{Path.GetFileName(file)}: {line.Trim()}"))];
        Assert.Equal(s_ownTexts, found);
    }
}
