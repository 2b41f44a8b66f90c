using CsCheck;

namespace Kata.Sandbox.Tests;

public sealed class GuestTextTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain 'text' \"quoted\"", "plain 'text' \"quoted\"")]
    [InlineData("a\nb\r\tc", "a\\x0ab\\x0d\\x09c")]
    [InlineData("\u001b[31mred", "\\x1b[31mred")]
    [InlineData("\0", "\\x00")]
    [InlineData("\u007f\u0085\u009b", "\\x7f\\x85\\x9b")]
    [InlineData("\u202e\u2066\u200b", "\\u202e\\u2066\\u200b")]
    [InlineData("\u2028\u2029", "\\u2028\\u2029")]
    [InlineData("äöü€", "äöü€")]
    public void Escape_Table(string text, string expected) => Assert.Equal(expected, GuestText.Escape(text));

    [Fact]
    public void Escape_LoneSurrogate_IsEscaped() => Assert.Equal("\\ud800x", GuestText.Escape("\ud800x"));

    [Fact]
    public void Escape_LongText_IsCut()
    {
        string escaped = GuestText.Escape(new string('a', 10_000));
        Assert.Equal(4096 + 3, escaped.Length);
        Assert.EndsWith("a...", escaped, StringComparison.Ordinal);
    }

    [Fact]
    public void Escape_Anything_HasNoControlCharacterAndNoLineEnd() => Gen.String.Sample(text =>
        Assert.All(
            GuestText.Escape(text), static c => Assert.False(char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029')));
}
