namespace Kata.Oci.Tests;

public sealed class IdTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("A_b-c+d.9")]
    [InlineData("...")]
    [InlineData("-x")]
    public void Parse_AllowedText_KeepsIt(string text)
    {
        Assert.Equal(text, ContainerId.Parse(text).Value);
        Assert.Equal(text, SandboxId.Parse(text).ToString());
        Assert.Equal(SandboxId.Parse(text), SandboxId.Of(ContainerId.Parse(text)));
    }

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData(".", "it means a directory")]
    [InlineData("..", "it means a directory")]
    [InlineData("a/b", "character 2 is '/'")]
    [InlineData("../x", "character 3 is '/'")]
    [InlineData("a b", "character 2 is ' '")]
    [InlineData("a,b", "character 2 is ','")]
    [InlineData("a\0", @"character 2 is '\u0000'")]
    [InlineData("a\n", @"character 2 is '\u000a'")]
    [InlineData("ä", "character 1 is 'ä'")]
    [InlineData("٣", "character 1 is '٣'")]
    public void Parse_OtherText_SaysWhy(string text, string cause)
    {
        Assert.Equal(cause, Assert.Throws<InvalidSpecException>(() => ContainerId.Parse(text)).Cause);
        Assert.Equal(cause, Assert.Throws<InvalidSpecException>(() => SandboxId.Parse(text)).Cause);
    }

    [Fact]
    public void Parse_AtTheLimit_IsAcceptedAndOneMoreIsNot()
    {
        Assert.Equal(255, ContainerId.Parse(new string('a', 255)).Value.Length);
        Assert.Equal("it has 256 characters", Assert.Throws<InvalidSpecException>(() => ContainerId.Parse(new string('a', 256))).Cause);
    }

    [Fact]
    public void Parse_ThousandCharacters_GivesAShortTextWithTheLimit()
    {
        string message = Assert.Throws<InvalidSpecException>(() => ContainerId.Parse(new string('a', 1000))).Message;

        Assert.EndsWith(
            ": it has 1000 characters. Use 1 to 255 characters from A-Z, a-z, 0-9, '_', '+', '-' and '.'",
            message,
            StringComparison.Ordinal);
        Assert.True(message.Length < 350);
    }

    [Fact]
    public void Value_OfDefault_Throws() => Assert.Throws<InvalidOperationException>(() => default(ContainerId).Value);
}
