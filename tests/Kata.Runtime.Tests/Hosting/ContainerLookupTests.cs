using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Sandbox;
using Kata.Testing;

namespace Kata.Runtime.Tests;

public sealed class ContainerLookupTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("web1", "web1")] // exact
    [InlineData("web", "web")] // exact, though others begin so
    [InlineData("d", "db")]
    [InlineData("abc", "abcdef")]
    [InlineData("web1x", "web1x")] // unknown: the verb says so
    [InlineData("WEB", "WEB")]
    public void Resolve_Table(string text, string expected)
    {
        Claim("web", "web1", "web2", "db", "abcdef");
        Assert.Equal(expected, Lookup().Resolve(text, "signal").Value);
    }

    [Fact]
    public void Resolve_Ambiguous_NamesTheCandidates()
    {
        Claim("web1", "web2", "db");
        Assert.Equal(
            "Cannot signal the container 'we': 2 ids begin so: web1, web2. Give more of the one that is meant",
            Assert.Throws<ArgumentException>(() => Lookup().Resolve("we", "signal")).Message);
    }

    [Fact]
    public void Resolve_VeryAmbiguous_NamesAFew()
    {
        Claim([.. Enumerable.Range(10, 20).Select(static number => $"c{number}")]);
        Assert.Contains("20 ids begin so: c10, c11, c12, c13, c14 and 15 more. Give", Assert.Throws<ArgumentException>(() => Lookup().Resolve("c", "signal")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../x")]
    [InlineData("@containers")]
    public void Resolve_NoId_IsRefused(string text) => Assert.Throws<InvalidSpecException>(() => Lookup().Resolve(text, "signal"));

    private ContainerLookup Lookup() => new(new SandboxDirectories(_directory.Path));

    private void Claim(params string[] ids)
    {
        var index = new ContainerIndex(new SandboxDirectories(_directory.Path));
        Assert.All(ids, id => Assert.True(index.TryClaim(ContainerId.Parse(id), SandboxId.Parse(id))));
    }
}
