namespace Kata.Repo.Tests;

/// <summary>docs/limitations.md is what <c>kata-runtime limits</c> prints: the same file, in a shape that the command can read.</summary>
public sealed class LimitationsTests
{
    private const string Document = "docs/limitations.md";

    private static bool IsRowOfTwoCells(string line) => line.StartsWith('|') && line.EndsWith('|') && line.Count(static c => c == '|') == 3;

    [Fact]
    public void Runtime_EmbedsTheDocument() =>
        Assert.Contains(
            "<EmbeddedResource Include=\"../../docs/limitations.md\" LogicalName=\"limitations.md\" />",
            Repository.Read("src/Kata.Runtime/Kata.Runtime.csproj"),
            StringComparison.Ordinal);

    [Fact]
    public void Build_MakesTheExecutableAnewWhenTheDocumentChanges() =>
        Assert.Contains("inputs+=(docs/limitations.md)", Repository.Read("scripts/build"), StringComparison.Ordinal);

    [Fact]
    public void Section_OfTheMachine_IsOneTableOfTwoColumns()
    {
        string[] section = [.. Repository.Read(Document).Split('\n')
            .SkipWhile(static line => line != "## Because it is a virtual machine")
            .Skip(1)
            .TakeWhile(static line => !line.StartsWith("## ", StringComparison.Ordinal))
            .Where(static line => line.Length > 0)];
        Assert.Equal(["| What | Why |", "|---|---|"], section[..2]);
        Assert.True(section.Length > 5, $"{Document} has no rows below its heading");
        Assert.All(section, static line => Assert.True(IsRowOfTwoCells(line), $"'{line}' is no row of two cells"));
    }
}
