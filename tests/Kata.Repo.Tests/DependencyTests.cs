using System.Xml.Linq;

namespace Kata.Repo.Tests;

/// <summary>Every package is a decision that is written down.</summary>
public sealed class DependencyTests
{
    private const string Decision = "docs/adr/0002-dependencies.md";

    [Fact]
    public void Packages_EveryOne_HasALineInTheDecision()
    {
        string[] lines = Repository.Read(Decision).Split('\n');
        Findings.AssertNone(Packages().Where(package => !lines.Any(line => line.StartsWith($"| {package} |", StringComparison.Ordinal)))
            .Select(package => $"{package}: add a line to {Decision}: why, its size in the executable, what we would write instead"));
    }

    [Fact]
    public void Decision_EveryPackageInIt_IsStillUsed()
    {
        var packages = Packages().ToHashSet(StringComparer.Ordinal);
        var unused = Repository.Read(Decision).Split('\n')
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal) && line.Contains('.', StringComparison.Ordinal))
            .Select(line => line.Split('|')[1].Trim())
            .Where(name => name != "Package" && !name.Contains(' ', StringComparison.Ordinal) && !packages.Contains(name));
        Findings.AssertNone(unused);
    }

    [Fact]
    public void Versions_InEveryProject_StandOnlyInTheCentralFile()
    {
        var own = from file in Repository.Files("src", "*.csproj").Concat(Repository.Files("tests", "*.csproj")).Concat(Repository.Files("benchmarks", "*.csproj"))
                  from reference in XDocument.Parse(Repository.Read(file)).Descendants("PackageReference")
                  where reference.Attribute("Version") is not null || reference.Attribute("VersionOverride") is not null
                  select $"{file}: {reference.Attribute("Include")?.Value}";
        Findings.AssertNone(own);
    }

    private static IEnumerable<string> Packages() =>
        XDocument.Parse(Repository.Read("Directory.Packages.props")).Descendants("PackageVersion").Select(package => package.Attribute("Include")!.Value);
}
