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
    public void ResolveToRead_Table(string text, string expected)
    {
        Claim("web", "web1", "web2", "db", "abcdef");
        Assert.Equal(expected, Lookup().ResolveToRead(text, "signal").Value);
    }

    [Theory]
    [InlineData("db")]
    [InlineData("d")]
    [InlineData("we")]
    public void Resolve_BeginningOfAnId_IsNobodys(string text)
    {
        Claim("web2", "web3", "db", "dbx");
        Assert.Equal(text, Lookup().Resolve(text, "signal").Value);
    }

    [Fact]
    public void ResolveToRead_Ambiguous_NamesTheCandidates()
    {
        Claim("web1", "web2", "db");
        Assert.Equal(
            "Cannot signal the container 'we': 2 ids begin so: web1, web2. Give more of the one that is meant",
            Assert.Throws<ArgumentException>(() => Lookup().ResolveToRead("we", "signal")).Message);
    }

    [Fact]
    public void ResolveToRead_VeryAmbiguous_NamesAFew()
    {
        Claim([.. Enumerable.Range(10, 20).Select(static number => $"c{number}")]);
        Assert.Contains(
            "20 ids begin so: c10, c11, c12, c13, c14 and 15 more. Give",
            Assert.Throws<ArgumentException>(() => Lookup().ResolveToRead("c", "signal")).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("io.kubernetes.cri.container-name")]
    [InlineData("io.kubernetes.cri-o.ContainerName")]
    [InlineData("io.kubernetes.container.name")]
    [InlineData("nerdctl/name")]
    public void Resolve_NameOfTheEngine_IsTheContainer(string annotation)
    {
        Claim("4f2a", "4f2b", "web9");
        Name("4f2a", annotation, "web");
        Name("4f2b", annotation, "db");
        Assert.Equal("4f2a", Lookup().Resolve("web", "signal").Value);
        Assert.Equal("4f2a", Lookup().ResolveToRead("web", "signal").Value); // before the beginning of an id
        Assert.Equal("4f2b", Lookup().Resolve("db", "signal").Value);
        Assert.Equal("web9", Lookup().Resolve("web9", "signal").Value);
        Assert.Equal("d", Lookup().ResolveToRead("d", "signal").Value); // names are whole
    }

    [Fact]
    public void Resolve_IdIsAnothersName_IsTheId()
    {
        Claim("web", "4f2a");
        Name("4f2a", "nerdctl/name", "web");
        Assert.Equal("web", Lookup().Resolve("web", "signal").Value);
    }

    [Fact]
    public void Resolve_SeveralOfThatName_NamesThem()
    {
        Claim("4f2a", "4f2b");
        Name("4f2a", "io.kubernetes.cri.container-name", "web");
        Name("4f2b", "io.kubernetes.cri.container-name", "web");
        Assert.Equal(
            "Cannot signal the container 'web': 2 containers have that name: 4f2a, 4f2b. Give the id of the one that is meant",
            Assert.Throws<ArgumentException>(() => Lookup().Resolve("web", "signal")).Message);
    }

    [Fact]
    public void Resolve_StateDamaged_FindsTheOthers()
    {
        Claim("4f2a", "4f2b");
        Name("4f2b", "nerdctl/name", "web");
        Directory.CreateDirectory(_directory.File("4f2a"));
        File.WriteAllText(_directory.File("4f2a/state.json"), "{");
        Assert.Equal("4f2b", Lookup().Resolve("web", "signal").Value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../x")]
    [InlineData("@containers")]
    public void Resolve_NoId_IsRefused(string text) => Assert.Throws<InvalidSpecException>(() => Lookup().Resolve(text, "signal"));

    private ContainerLookup Lookup() => new(new SandboxDirectories(_directory.Path));

    private void Name(string id, string annotation, string name)
    {
        var directories = new SandboxDirectories(_directory.Path);
        Directory.CreateDirectory(directories.Sandbox(SandboxId.Parse(id)));
        SandboxStateStore.Write(directories.StateFile(SandboxId.Parse(id)), new SandboxState
        {
            Version = SandboxState.CurrentVersion,
            Id = id,
            Runtime = "0",
            Service = ProcessIdentity.Of(Environment.ProcessId)!,
            Containers =
            [
                new ContainerState
                {
                    Id = id, OciVersion = "1.0.2", Bundle = "/b", RootFs = "/b/r", Status = ContainerStatus.Running,
                    Created = DateTimeOffset.UnixEpoch, Annotations = new Dictionary<string, string> { [annotation] = name },
                },
            ],
        });
    }

    private void Claim(params string[] ids)
    {
        var index = new ContainerIndex(new SandboxDirectories(_directory.Path));
        Assert.All(ids, id => Assert.True(index.TryClaim(ContainerId.Parse(id), SandboxId.Parse(id))));
    }
}
