using Kata.Oci;

namespace Kata.Configuration;

/// <summary>Finds the main file and its drop-ins, merges them, and hands the values to the binder.</summary>
internal sealed class ConfigurationLoader
{
    private readonly ConfigurationSources _sources;
    private readonly List<string> _warnings = [];
    private readonly List<string> _dropIns = [];
    private readonly Dictionary<(string Section, string Name), Dictionary<string, ConfigurationValue>> _tables = [];

    private readonly List<ConfigurationException>? _errors;

    /// <param name="sources">Where to look.</param>
    /// <param name="errors">Gets what is wrong, and reading goes on without it; when null, the first error is thrown.</param>
    internal ConfigurationLoader(ConfigurationSources sources, List<ConfigurationException>? errors = null) =>
        (_sources, _errors) = (sources, errors);

    internal IReadOnlyList<string> Warnings => _warnings;

    internal IReadOnlyList<string> DropIns => _dropIns;

    internal KataConfiguration Load()
    {
        ConfigurationValues values = Read(out string hypervisor, out string? path);
        return ConfigurationBinder.Bind(values, _sources, hypervisor, path, _dropIns, _warnings);
    }

    /// <summary>Reads and merges the files.</summary>
    /// <param name="hypervisor">The name of the hypervisor whose table applies.</param>
    /// <param name="path">The main file, or null when there is none.</param>
    internal ConfigurationValues Read(out string hypervisor, out string? path)
    {
        path = FindMain();
        if (path is not null)
        {
            string directory = Path.Combine(Path.GetDirectoryName(path)!, "config.d");
            foreach (string file in _sources.Files.List(directory).Where(IsDropIn).Order(StringComparer.Ordinal))
            {
                AddFile(file);
                _dropIns.Add(file);
            }
        }

        hypervisor = ChooseHypervisor();
        ConfigurationValues values = ConfigurationValues.Empty;
        foreach (((string section, string name), Dictionary<string, ConfigurationValue> table) in _tables)
        {
            if (section == "hypervisor" && name != hypervisor)
                continue;
            foreach ((string key, ConfigurationValue value) in table)
                values = values.With($"{section}.{key}", value);
        }

        return values;
    }

    private static bool IsDropIn(string path) =>
        path.EndsWith(".toml", StringComparison.Ordinal) && !Path.GetFileName(path).StartsWith('.');

    private string? FindMain()
    {
        if (_sources.ExplicitPath is { } wanted)
        {
            wanted = _sources.Files.Resolve(wanted);
            if (!AddFile(wanted))
            {
                Refuse(new ConfigurationException(
                    new ConfigurationOrigin(wanted, 0),
                    "there is no such file",
                    "Correct --kata-config or KATA_CONF_FILE, or leave it out"));
            }

            return wanted;
        }

        foreach (string candidate in _sources.SearchPaths)
        {
            string resolved = _sources.Files.Resolve(candidate);
            if (AddFile(resolved))
                return resolved;
        }

        return null;
    }

    private bool AddFile(string path)
    {
        byte[]? content;
        try
        {
            content = _sources.Files.Read(path, TomlReader.MaxBytes);
        }
        catch (IOException exception)
        {
            Refuse(new ConfigurationException(
                new ConfigurationOrigin(path, 0),
                $"it cannot be read: {exception.Message.TrimEnd('.')}",
                "It must be a readable file of at most 256 KiB",
                exception));
            return true;
        }

        if (content is null)
            return false;
        try
        {
            foreach (TomlEntry entry in TomlReader.Read(content, path))
                TryAddEntry(entry, new ConfigurationOrigin(path, entry.Line));
        }
        catch (ConfigurationException exception) when (_errors is not null)
        {
            _errors.Add(exception);
        }

        return true;
    }

    private void TryAddEntry(TomlEntry entry, ConfigurationOrigin origin)
    {
        try
        {
            AddEntry(entry, origin);
        }
        catch (ConfigurationException exception) when (_errors is not null)
        {
            _errors.Add(exception);
        }
    }

    private void Refuse(ConfigurationException exception)
    {
        if (_errors is null)
            throw exception;
        _errors.Add(exception);
    }

    private void AddEntry(TomlEntry entry, ConfigurationOrigin origin)
    {
        string section = entry.Path[0];
        bool named = ConfigurationSchema.NamedSections.Contains(section);
        int keyAt = named ? 2 : 1;
        if (!ConfigurationSchema.Sections.Contains(section) || entry.Path.Count <= keyAt)
        {
            WarnUnknown(origin, string.Join('.', entry.Path), "table", section, ConfigurationSchema.Sections);
            return;
        }

        string name = named ? entry.Path[1] : "";
        if (section == "hypervisor" && !ConfigurationSchema.Hypervisors.Contains(name))
        {
            throw new ConfigurationException(
                origin,
                $"[hypervisor.{SpecText.Clean(name)}] is no known hypervisor",
                $"It must be one of {string.Join(", ", ConfigurationSchema.Hypervisors)}");
        }

        string key = entry.Path[keyAt];
        if (entry.Path.Count > keyAt + 1)
        {
            if (ConfigurationSchema.KeptTables.Contains($"{section}.{key}"))
                Table(section, name)[key] = new ConfigurationValue(null, origin);
            else
                WarnUnknown(origin, string.Join('.', entry.Path), "table", key, []);
            return;
        }

        if (ConfigurationSchema.Find($"{section}.{key}") is not { } definition)
        {
            IEnumerable<string> names = ConfigurationSchema.Keys.Where(known => known.Section == section).Select(known => known.Name);
            WarnUnknown(origin, string.Join('.', entry.Path), "key", key, names);
            return;
        }

        object? content = definition.Type == ConfigurationType.Any ? null : Fit(definition, entry, origin);
        Table(section, name)[key] = new ConfigurationValue(content, origin);
    }

    private static object Fit(ConfigurationKey definition, TomlEntry entry, ConfigurationOrigin origin) =>
        ConfigurationCheck.Fit(definition, entry.Content)
        ?? throw new ConfigurationException(
            origin, $"{string.Join('.', entry.Path)} holds {SpecText.Clean(entry.Source)}", ConfigurationCheck.Remedy(definition));

    private Dictionary<string, ConfigurationValue> Table(string section, string name)
    {
        if (!_tables.TryGetValue((section, name), out Dictionary<string, ConfigurationValue>? table))
            _tables.Add((section, name), table = new Dictionary<string, ConfigurationValue>(StringComparer.Ordinal));
        return table;
    }

    private void WarnUnknown(ConfigurationOrigin origin, string path, string what, string name, IEnumerable<string> candidates)
    {
        string hint = NearestName.Find(name, candidates) is { } nearest && nearest != name ? $". Did you mean '{nearest}'?" : "";
        _warnings.Add($"{SpecText.Clean(origin.ToString())}: the {what} '{SpecText.Clean(path)}' is not known and has no effect{hint}");
    }

    private string ChooseHypervisor()
    {
        List<string> names =
            [.. _tables.Keys.Where(key => key.Section == "hypervisor").Select(key => key.Name).Order(StringComparer.Ordinal)];
        if (_tables.TryGetValue(("runtime", ""), out Dictionary<string, ConfigurationValue>? runtime)
            && runtime.TryGetValue("hypervisor_name", out ConfigurationValue? chosen) && chosen.Text.Length > 0)
        {
            if (ConfigurationSchema.Hypervisors.Contains(chosen.Text))
                return chosen.Text;
            Refuse(new ConfigurationException(
                chosen.Origin,
                $"runtime.hypervisor_name holds {ConfigurationValue.Write(SpecText.Clean(chosen.Text))}",
                $"It must be one of {string.Join(", ", ConfigurationSchema.Hypervisors)}"));
        }
        else if (names.Count > 1)
        {
            ConfigurationOrigin second = _tables[("hypervisor", names[1])].Values.First().Origin;
            Refuse(new ConfigurationException(
                second,
                $"there are tables for several hypervisors: {string.Join(", ", names)}",
                "Keep one, or choose with runtime.hypervisor_name"));
        }

        return names.Count == 0 ? "qemu" : names[0];
    }
}
