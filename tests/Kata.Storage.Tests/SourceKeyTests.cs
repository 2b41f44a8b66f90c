namespace Kata.Storage.Tests;

public sealed class SourceKeyTests
{
    [Theory]
    [InlineData("/a", "/a", "")]
    [InlineData("/a", "/a/b", "b")]
    [InlineData("/a", "/a/b/c", "b/c")]
    [InlineData("/", "/a/b", "a/b")]
    [InlineData("/", "/", "")]
    [InlineData("/a", "/ab", null)]
    [InlineData("/a/b", "/a", null)]
    [InlineData("/a", "/b", null)]
    public void PathTo_AnotherOfTheFileSystem_IsWhereItLiesInThis(string key, string other, string? expected) =>
        Assert.Equal(expected, new SourceKey("8:1", key).PathTo(new SourceKey("8:1", other)));

    [Fact]
    public void PathTo_AnotherFileSystem_IsElsewhere() => Assert.Null(new SourceKey("8:1", "/a").PathTo(new SourceKey("8:2", "/a")));
}
