namespace Kata.Configuration;

/// <summary>
/// Every key that is known: those of Kata 1.x and 4.x for all hypervisors, and our own under <c>[kata]</c>. The single definition from
/// which files are checked, defaults are taken and the commented template is written.
/// </summary>
internal static partial class ConfigurationSchema
{
    /// <summary>What a configuration may name in <c>[hypervisor.NAME]</c>; which of them have a driver is not known here.</summary>
    internal static readonly IReadOnlyList<string> Hypervisors =
        ["qemu", "clh", "cloud-hypervisor", "firecracker", "dragonball", "stratovirt", "acrn", "remote"];

    /// <summary>The sections whose tables carry a name, as in <c>[hypervisor.qemu]</c>.</summary>
    internal static readonly IReadOnlyList<string> NamedSections = ["hypervisor", "agent", "proxy", "shim"];

    /// <summary>Tables below a section that are accepted whole, since nothing here acts on them.</summary>
    internal static readonly IReadOnlyList<string> KeptTables =
        ["hypervisor.factory", "hypervisor.rootless_user", "hypervisor.guest_extension_images", "agent.mem_agent", "runtime.shared_mounts"];

    /// <summary>All keys, in the order of the template.</summary>
    internal static readonly IReadOnlyList<ConfigurationKey> Keys =
        [.. HypervisorKeys(), .. KeptHypervisorKeys(), .. AgentKeys(), .. RuntimeKeys(), .. KataKeys(), .. OtherKeys()];

    // Not frozen: the two hundred keys of one file are looked up once, and the better table takes 80 KB to make and 35 to keep.
    private static readonly Dictionary<string, ConfigurationKey> s_byId = Keys.ToDictionary(key => key.Id, StringComparer.Ordinal);

    /// <summary>The key with an id such as <c>hypervisor.kernel</c>; null when there is none.</summary>
    internal static ConfigurationKey? Find(string id) => s_byId.GetValueOrDefault(id);

    /// <summary>The sections, in order.</summary>
    internal static IEnumerable<string> Sections => Keys.Select(key => key.Section).Distinct();

    private static ConfigurationKey Applied(string section, string name, ConfigurationType type, object? value, string description) =>
        new(section, name, type, value, KeyUse.Applied, description);

    private static List<ConfigurationKey> Kept(string section, ConfigurationType type, params ReadOnlySpan<string> names)
    {
        var keys = new List<ConfigurationKey>(names.Length);
        foreach (string name in names)
            keys.Add(new ConfigurationKey(section, name, type, null, KeyUse.Kept, ""));
        return keys;
    }
}
