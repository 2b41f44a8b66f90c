namespace Kata.Repo.Tests;

internal static class Findings
{
    /// <summary>Fails with all findings, whole: xunit shortens the items of a collection.</summary>
    public static void AssertNone(IEnumerable<string> findings)
    {
        string[] all = [.. findings];
        if (all.Length > 0)
        {
            Assert.Fail(string.Join('\n', all));
        }
    }
}
