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
    public void Packages_EveryOne_IsReferredTo()
    {
        HashSet<string?> used = [.. References().Select(static reference => reference.Reference.Attribute("Include")?.Value)];
        Findings.AssertNone(Packages().Where(package => !used.Contains(package)).Select(static package =>
            $"{package}: no project refers to it. Remove its version, and its line in {Decision}"));
    }

    [Fact]
    public void Packages_OfEveryProject_AreLocked() => Findings.AssertNone(
        from project in Repository.Projects()
        let file = Path.Combine(Path.GetDirectoryName(project)!, "packages.lock.json")
        where !Repository.Exists(file)
        select $"{file}: run 'dotnet restore', and commit it");

    [Fact]
    public void Versions_InEveryProject_StandOnlyInTheCentralFile()
    {
        var own = from item in References()
                  where item.Reference.Attribute("Version") is not null || item.Reference.Attribute("VersionOverride") is not null
                  select $"{item.File}: {item.Reference.Attribute("Include")?.Value}";
        Findings.AssertNone(own);
    }

    private static IEnumerable<(string File, XElement Reference)> References() =>
        from file in Repository.Projects().Concat(["Directory.Build.targets", "tests/Directory.Build.props"])
        from reference in XDocument.Parse(Repository.Read(file)).Descendants("PackageReference")
        select (file, reference);

    private static IEnumerable<string> Packages() =>
        XDocument.Parse(Repository.Read("Directory.Packages.props"))
            .Descendants("PackageVersion")
            .Select(package => package.Attribute("Include")!.Value);
}
