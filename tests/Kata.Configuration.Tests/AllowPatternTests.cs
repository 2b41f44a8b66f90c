using System.Text.RegularExpressions;
using CsCheck;

namespace Kata.Configuration.Tests;

public sealed class AllowPatternTests
{
    [Theory]
    [InlineData(".*", "", true)]
    [InlineData("", "anything", true)]
    [InlineData("kernel", "kernel_params", true)]
    [InlineData("^kernel$", "kernel_params", false)]
    [InlineData("^(kernel|initrd)$", "initrd", true)]
    [InlineData("^(?:kernel|initrd)$", "image", false)]
    [InlineData("default_[a-z]+", "default_vcpus", true)]
    [InlineData("[^a-z_]", "default_vcpus", false)]
    [InlineData("[]x]", "]", true)]
    [InlineData("a-?b", "ab", true)]
    [InlineData(@"a\.b", "axb", false)]
    [InlineData(@"^\w+$", "msize_9p", true)]
    [InlineData("Kernel", "kernel", false)]
    [InlineData("a||b", "zzz", true)]
    [InlineData("^((a|b)*c)+$", "abacbc", true)]
    public void IsMatch_Table_AgreesWithExpectation(string pattern, string text, bool expected)
    {
        Assert.True(AllowPattern.TryParse(pattern, out AllowPattern? compiled, out _));
        Assert.Equal(expected, compiled.IsMatch(text));
    }

    [Theory]
    [InlineData("(", "'(' at 1 has no matching ')'")]
    [InlineData("a)", "')' at 2 has no matching '('")]
    [InlineData("[a", "'[' at 1 has no matching ']'")]
    [InlineData("*", "'*' at 1 repeats nothing")]
    [InlineData("a{2}", "'{' at 2 counts repetitions, which is not supported")]
    [InlineData("a\\", "it ends in '\\'")]
    [InlineData("\\b", "the escape '\\b' is not supported")]
    public void TryParse_WrongPattern_SaysWhere(string pattern, string error)
    {
        Assert.False(AllowPattern.TryParse(pattern, out _, out string? actual));
        Assert.Equal(error, actual);
    }

    [Fact]
    public void TryParse_HugePatterns_AreRefused()
    {
        Assert.False(AllowPattern.TryParse(new string('a', 257), out _, out _));
        Assert.False(AllowPattern.TryParse(new string('(', 100) + new string(')', 100), out _, out _));
    }

    [Fact]
    public void IsMatch_CatastrophicPattern_IsLinear()
    {
        Assert.True(AllowPattern.TryParse("^(a+)+$", out AllowPattern? compiled, out _));
        Assert.False(compiled.IsMatch(new string('a', 20_000) + "b"));
    }

    [Fact]
    public void IsMatch_RandomPatterns_AgreeWithTheFramework()
    {
        const RegexOptions AsOurs = RegexOptions.Singleline | RegexOptions.NonBacktracking;
        string[] parts = ["a", "b", ".", "^", "$", "(a|b)", "[ab]", "[^a]", "a*", "b+", "(ab)?", "|", "(a|b*)+"];
        Gen<string> pattern = Gen.OneOf([.. parts.Select(Gen.Const)]).Array[0, 6].Select(chosen => string.Concat(chosen));
        Gen.Select(pattern, Gen.String[Gen.OneOf(Gen.Const('a'), Gen.Const('b'), Gen.Const('c')), 0, 8]).Sample((p, text) =>
            AllowPattern.TryParse(p, out AllowPattern? compiled, out _)
            && compiled.IsMatch(text) == Regex.IsMatch(text, p.Replace("$", "\\z", StringComparison.Ordinal), AsOurs));
    }
}
