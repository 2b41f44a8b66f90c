using System.Text.Json;

namespace Kata.Repo.Tests;

/// <summary>The published executables stay within the sizes written down in benchmarks/size-budget.json.</summary>
public sealed class SizeBudgetTests
{
    public static TheoryData<string, long> Budget()
    {
        using var document = JsonDocument.Parse(Repository.Read("benchmarks/size-budget.json"));
        var data = new TheoryData<string, long>();
        foreach (JsonProperty entry in document.RootElement.EnumerateObject())
        {
            data.Add(entry.Name, entry.Value.GetInt64());
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Budget))]
    public void Executable_WhenPublished_IsWithinItsBudget(string file, long maximumBytes)
    {
        var published = new FileInfo(Path.Combine(Repository.Root, file));
        Assert.SkipUnless(published.Exists, $"{file} is not built; run 'make' first");
        Assert.True(published.Length <= maximumBytes,
            $"{file} has {published.Length} bytes, more than {maximumBytes}. "
            + "Find what grew, or raise the budget in the commit that needs it and say why");
    }
}
