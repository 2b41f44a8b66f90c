using System.Xml.Linq;

namespace Kata.Repo.Tests;

/// <summary>Folder = project = assembly = namespace, references point downwards, and every source project has tests.</summary>
public sealed class ProjectTests
{
    // Why a source project has no test project of its own.
    private static readonly Dictionary<string, string> s_untested = new(StringComparer.Ordinal)
    {
        ["Kata.Agent.Protocol"] = "generated from protos/",
        ["Kata.Containerd.Protocol"] = "generated from protos/",
        ["Kata.Sandbox.Protocol"] = "generated from protos/",
        ["Kata.Hypervisor"] = "interfaces and the VM model; Kata.Hypervisor.Qemu.Tests covers what has behaviour",
    };

    [Theory]
    [InlineData("Kata.Sandbox", "Kata.Linux", true)]
    [InlineData("Kata.Agent", "Kata.TtRpc", true)]
    [InlineData("Kata.Hypervisor.Qemu", "Kata.Hypervisor", true)]
    [InlineData("Kata.Linux", "Kata.Sandbox", false)]
    [InlineData("Kata.Storage", "Kata.Hypervisor.Qemu", false)]
    [InlineData("Kata.Agent", "Kata.Storage", false)]
    [InlineData("Kata.Agent", "Kata.Hypervisor", false)]
    [InlineData("Kata.Hypervisor.Qemu", "Kata.Hypervisor.Firecracker", false)]
    [InlineData("Kata.Hypervisor.Qemu", "Kata.TtRpc", false)]
    [InlineData("Kata.Unheard", "Kata.Linux", false)]
    public void Objection_KnownCases_AllowsOnlyDownwards(string from, string to, bool allowed) =>
        Assert.Equal(allowed, Layers.Objection(from, to) is null);

    [Fact]
    public void References_OfEverySourceProject_PointDownwards()
    {
        var objections = from file in Repository.Files("src", "*.csproj")
                         from to in References(file)
                         let objection = Layers.Objection(Path.GetFileNameWithoutExtension(file), to)
                         where objection is not null
                         select $"{file}: {objection}";
        Findings.AssertNone(objections);
    }

    [Fact]
    public void Projects_EveryOne_IsNamedAsItsFolderAndListedInTheSolution()
    {
        string solution = Repository.Read("Kata.slnx");
        foreach (string file in Repository.Files("src", "*.csproj").Concat(Repository.Files("tests", "*.csproj")))
        {
            Assert.Contains($"\"{file}\"", solution, StringComparison.Ordinal);
            if (file.StartsWith("src/", StringComparison.Ordinal))
            {
                string project = Path.GetFileNameWithoutExtension(file);
                Assert.Equal($"src/{project}/{project}.csproj", file);
            }
        }
    }

    [Fact]
    public void Namespaces_OfEveryFile_StartWithTheProject()
    {
        var strangers = from file in Repository.Files("src", "*.cs")
                        let project = file.Split('/')[1]
                        from line in CodeText.Lines(Repository.Read(file))
                        where line.StartsWith("namespace ", StringComparison.Ordinal)
                        let name = line["namespace ".Length..].TrimEnd(';', ' ', '\r')
                        where name != project && !name.StartsWith(project + ".", StringComparison.Ordinal)
                        select $"{file}: namespace {name}";
        Findings.AssertNone(strangers);
    }

    [Fact]
    public void SourceProjects_EveryOne_HasTestsOrAReason()
    {
        IReadOnlyList<string> tests = Repository.Projects("tests");
        foreach (string project in Repository.Projects("src"))
        {
            bool tested = tests.Contains(project + ".Tests");
            Assert.True(tested != s_untested.ContainsKey(project),
                tested
                    ? $"{project} has tests now: remove its reason"
                    : $"{project} needs tests/{project}.Tests, or a reason in ProjectTests.cs");
        }
    }

    private static IEnumerable<string> References(string csproj) =>
        XDocument.Parse(Repository.Read(csproj)).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")?.Value.Replace('\\', '/') ?? ""));
}
