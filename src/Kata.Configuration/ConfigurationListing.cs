namespace Kata.Configuration;

/// <summary>Writes the configuration that applies, as TOML that would give the same again.</summary>
internal static class ConfigurationListing
{
    private const int OriginColumn = 48;

    /// <param name="configuration">What to write.</param>
    /// <param name="origins">Whether each value is followed by where it comes from.</param>
    /// <param name="writer">Gets it.</param>
    internal static void Write(KataConfiguration configuration, bool origins, TextWriter writer)
    {
        writer.Write($"# {configuration.Path ?? "no file: everything is built in"}\n");
        foreach (string file in configuration.DropIns)
            writer.Write($"# {file}\n");
        string section = "";
        foreach (ConfigurationKey key in ConfigurationSchema.Keys.Where(key => key.Use == KeyUse.Applied))
        {
            if (key.Section != section)
            {
                WriteWithoutEffect(configuration, section, origins, writer);
                section = key.Section;
                writer.Write($"\n[{Table(configuration, section)}]\n");
            }

            if (Value(configuration, key) is { } value)
                writer.Write(Line($"{key.Name} = {ConfigurationValue.Write(value.Content)}", origins ? value.Origin : null));
        }

        WriteWithoutEffect(configuration, section, origins, writer);
    }

    private static string Table(KataConfiguration configuration, string section) => section switch
    {
        "hypervisor" => $"hypervisor.{configuration.Hypervisor.Name}",
        "agent" => "agent.kata",
        _ => section,
    };

    private static (object Content, string Origin)? Value(KataConfiguration configuration, ConfigurationKey key)
    {
        ConfigurationValue? set = configuration.Values.Find(key.Id);
        string? computed = key.Id switch
        {
            "hypervisor.path" => configuration.Hypervisor.Path,
            "hypervisor.kernel" => configuration.Hypervisor.KernelPath,
            "hypervisor.initrd" => configuration.Hypervisor.InitrdPath ?? "",
            "hypervisor.virtio_fs_daemon" => configuration.Hypervisor.VirtioFsDaemonPath,
            _ => null,
        };
        if (computed is not null && (set is null || set.Content is ""))
            return (computed, set is null ? "found on this host" : set.Origin.ToString());
        return set?.Content is { } content ? (content, set.Origin.ToString()) : null;
    }

    private static void WriteWithoutEffect(KataConfiguration configuration, string section, bool origins, TextWriter writer)
    {
        foreach ((string id, ConfigurationValue value) in configuration.WithoutEffect)
        {
            if (section.Length > 0 && id.StartsWith(section + ".", StringComparison.Ordinal))
                writer.Write(Line($"# {id[(section.Length + 1)..]} = {value}", origins ? $"{value.Origin}, no effect" : "no effect"));
        }
    }

    private static string Line(string text, string? origin) =>
        origin is null ? $"{text}\n" : $"{text.PadRight(OriginColumn)} # {Oci.SpecText.Clean(origin)}\n";
}
