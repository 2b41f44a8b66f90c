namespace Kata.Configuration;

/// <summary>The configuration of one command, complete and checked. Immutable; annotations make another one.</summary>
internal sealed record KataConfiguration
{
    /// <summary>The main file with its symbolic links followed; null when there is none and everything is built in.</summary>
    public required string? Path { get; init; }

    /// <summary>The drop-in files that were read, in order.</summary>
    public required IReadOnlyList<string> DropIns { get; init; }

    public required HypervisorConfig Hypervisor { get; init; }

    public required RuntimeConfig Runtime { get; init; }

    public required AgentConfig Agent { get; init; }

    public required LimitsConfig Limits { get; init; }

    public required FactoryConfig Factory { get; init; }

    /// <summary>What is odd and was accepted, as sentences for a log: unknown keys and annotations.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Values that are read as others, which do the same by other means; sentences for a log.</summary>
    public required IReadOnlyList<string> ReadAs { get; init; }

    /// <summary>Keys that a file or an annotation sets, are known, and have no effect here; each with its value and origin.</summary>
    public required IReadOnlyList<KeyValuePair<string, ConfigurationValue>> WithoutEffect { get; init; }

    /// <summary>The values as they were set: what <c>config show</c> prints and annotations start from.</summary>
    internal required ConfigurationValues Values { get; init; }

    /// <summary>What the values were bound against, so that annotations can be.</summary>
    internal required ConfigurationSources Sources { get; init; }

    /// <summary>Where the value of a key comes from.</summary>
    /// <param name="id">The section without its name, and the key: <c>hypervisor.default_vcpus</c>, <c>kata.boot_timeout</c>.</param>
    public ConfigurationOrigin OriginOf(string id) => Values.Find(id)?.Origin ?? ConfigurationOrigin.BuiltIn;

    /// <summary>Finds, reads and checks the configuration.</summary>
    /// <exception cref="ConfigurationException">A file cannot be read or holds something wrong; the text has file and line.</exception>
    public static KataConfiguration Load(ConfigurationSources sources) => new ConfigurationLoader(sources).Load();
}
