namespace Kata.Service.Tests;

public sealed class StdioAddressTests
{
    [Theory]
    [InlineData("/run/containerd/fifo/1/x-stdout", "Fifo", "/run/containerd/fifo/1/x-stdout", "")]
    [InlineData("/run/odd://name", "Fifo", "/run/odd://name", "")]
    [InlineData("/run/100%25", "Fifo", "/run/100%25", "")]
    [InlineData("fifo:///run/a%20b", "Fifo", "/run/a b", "")]
    [InlineData("file:///var/log/x.log?mode=1", "File", "/var/log/x.log", "")]
    [InlineData("binary:///usr/bin/logger", "Binary", "/usr/bin/logger", "")]
    [InlineData("binary:////usr/bin/logger#part", "Binary", "//usr/bin/logger", "")]
    [InlineData("binary:///l?--id=7&verbose&--text=a+b%26c=d&--id=8", "Binary", "/l", "--id|7|verbose||--text|a b&c=d")]
    public void Parse_KnownForm_GivesPathAndArguments(string text, string scheme, string path, string arguments)
    {
        StdioAddress address = StdioAddress.Parse(text)!;
        Assert.Equal((scheme, path, arguments), (address.Scheme.ToString(), address.Path, string.Join('|', address.Arguments)));
    }

    [Fact]
    public void Parse_NoName_IsNoStream() => Assert.Null(StdioAddress.Parse(""));

    [Theory]
    [InlineData("tcp://host:1/x", "its scheme is not known")]
    [InlineData("BINARY:///x", "its scheme is not known")]
    [InlineData("binary://logger", "no absolute path")]
    [InlineData("file:///", "no absolute path")]
    [InlineData("file:///a%00b", "no absolute path")]
    public void Parse_OtherForm_SaysWhatIsWrong(string text, string cause) =>
        Assert.Contains(cause, Assert.Throws<ArgumentException>(() => StdioAddress.Parse(text)).Message, StringComparison.Ordinal);
}
