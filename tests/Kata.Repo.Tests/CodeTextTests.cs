namespace Kata.Repo.Tests;

public sealed class CodeTextTests
{
    [Theory]
    [InlineData("a(); // Process", "a();           ")]
    [InlineData("a(/* x */b)", "a(       b)")]
    [InlineData("a(\"Process\\\"x\", b)", "a(            , b)")]
    [InlineData("a('\"', b)", "a(   , b)")]
    [InlineData("a('\\'', b)", "a(    , b)")]
    [InlineData("a(@\"c:\\\", b)", "a(      , b)")]
    [InlineData("a(\"\"\"x\"y\"\"\", b)", "a(         , b)")]
    [InlineData("// one\nb();", "      \nb();")]
    [InlineData("/* one\ntwo */b();", "      \n      b();")]
    [InlineData("/* open", "       ")]
    [InlineData("\"open", "     ")]
    [InlineData("// open", "       ")]
    [InlineData("", "")]
    public void Of_CommentsAndLiterals_BlanksThemAndKeepsTheRest(string source, string expected) =>
        Assert.Equal(expected, CodeText.Of(source));
}
