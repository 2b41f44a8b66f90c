namespace Kata.Agent.Boot;

/// <summary>
/// The kernel modules that the guest's image has. Ours lie in one directory, under the names that the kernel shows; those of another image
/// anywhere below it.
/// </summary>
internal sealed class ImageModules(string directory)
{
    private Dictionary<string, string>? _all; // when a direct look did not find one: there are hundreds

    /// <summary>The kernel takes '-' and '_' in a module's name for the same, and shows the latter.</summary>
    public static string Normalize(string name) => name.Replace('-', '_');

    /// <summary>The file of a module, or null. Of two of one name the first counts.</summary>
    public string? Find(string name)
    {
        name = Normalize(name);
        foreach (string path in (string[])[$"{directory}/{name}.ko.gz", $"{directory}/{name}.ko"])
        {
            if (File.Exists(path))
            {
                return path;
            }
        }

        _all ??= ModuleFile.All(directory).DistinctBy(NameOf).ToDictionary(NameOf, StringComparer.Ordinal);
        return _all.GetValueOrDefault(name);
    }

    private static string NameOf(string path) => Normalize(ModuleFile.NameOf(path));
}
