namespace Kata.Configuration;

/// <summary>Checks a whole configuration and goes on after an error, for the person who wants to correct all of them at once.</summary>
internal static class ConfigurationValidator
{
    /// <summary>
    /// Everything that is wrong, then everything that is odd. Of a file that is not TOML only the first line that is wrong is told:
    /// those after it are often only its consequence.
    /// </summary>
    /// <param name="sources">Where the configuration comes from.</param>
    /// <param name="namedFiles">Whether the host's files that it names are looked at too.</param>
    internal static IReadOnlyList<ConfigurationFinding> Validate(ConfigurationSources sources, bool namedFiles)
    {
        var errors = new List<ConfigurationException>();
        var loader = new ConfigurationLoader(sources, errors);
        ConfigurationValues values = loader.Read(out string hypervisor, out string? path);
        KataConfiguration? bound = null;
        for (bool changed = true; changed && bound is null;)
        {
            try
            {
                bound = ConfigurationBinder.Bind(values, sources, hypervisor, path, loader.DropIns, loader.Warnings);
            }
            catch (ConfigurationException error)
            {
                // Without the key that is wrong, the next check has its turn.
                errors.Add(error);
                values = values.Without(error.Origin, out changed);
            }
        }

        if (bound is not null)
        {
            errors.AddRange(AvailableChoices.Find(bound));
            if (namedFiles)
                errors.AddRange(NamedFiles.Find(bound));
        }

        List<ConfigurationFinding> findings =
            [.. errors.DistinctBy(WithoutLine)
                .OrderBy(error => error.Origin.Source, StringComparer.Ordinal)
                .ThenBy(error => error.Origin.Line)
                .Select(error => new ConfigurationFinding(true, error.Message))];
        findings.AddRange(loader.Warnings.Concat(bound?.ReadAs ?? []).Select(text => new ConfigurationFinding(false, text)));
        findings.AddRange((bound?.WithoutEffect ?? []).Select(item =>
            new ConfigurationFinding(
                false, $"{Oci.SpecText.Clean(item.Value.Origin.ToString())}: the key '{item.Key}' is accepted and has no effect here")));
        return findings;
    }

    // A table of an unknown hypervisor is wrong once, not once for each of its keys.
    private static (string?, string) WithoutLine(ConfigurationException error) =>
        (error.Origin.Source, error.Message.Replace(error.Origin.ToString(), "", StringComparison.Ordinal));
}
