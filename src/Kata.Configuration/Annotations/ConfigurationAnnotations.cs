using System.Globalization;
using System.Text.Json;
using Kata.Oci;

namespace Kata.Configuration;

/// <summary>
/// Lets a pod change the configuration by annotation, as far as the configuration allows it. Pods are not trusted: hypervisor options
/// need an entry in <c>enable_annotations</c>, and paths of programs a pattern of their own.
/// </summary>
internal static class ConfigurationAnnotations
{
    /// <summary>What all annotations that are looked at start with.</summary>
    internal const string Prefix = "io.katacontainers.config.";

    private const string HypervisorPrefix = "hypervisor.";
    private const NumberStyles Decimal = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;

    // Spelled differently from the key in files.
    private static readonly Dictionary<string, string> s_spellings = new(StringComparer.Ordinal)
    {
        ["default_max_vcpus"] = "default_maxvcpus",
        ["blk_logical_sector_size"] = "block_device_logical_sector_size",
        ["blk_physical_sector_size"] = "block_device_physical_sector_size",
        ["cc_init_data"] = "initdata",
    };

    // What a pod may set at all, once it is enabled; every other key is the operator's alone.
    private static readonly HashSet<string> s_settable = new(StringComparer.Ordinal)
    {
        "hypervisor.path", "hypervisor.kernel", "hypervisor.image", "hypervisor.initrd", "hypervisor.kernel_params",
        "hypervisor.machine_type", "hypervisor.default_vcpus", "hypervisor.default_maxvcpus", "hypervisor.default_memory",
        "hypervisor.enable_hugepages", "hypervisor.enable_mem_prealloc", "hypervisor.disable_block_device_use",
        "hypervisor.shared_fs", "hypervisor.virtio_fs_daemon", "hypervisor.virtio_fs_cache", "hypervisor.virtio_fs_extra_args",
        "hypervisor.entropy_source", "hypervisor.rx_rate_limiter_max_rate", "hypervisor.tx_rate_limiter_max_rate",
        "runtime.disable_guest_seccomp", "runtime.sandbox_cgroup_only", "runtime.create_container_timeout",
        "runtime.internetworking_model", "agent.kernel_modules",
    };

    // Applied keys whose annotation must fail rather than be ignored.
    private static readonly HashSet<string> s_never = new(StringComparer.Ordinal)
    {
        "seccompsandbox", "enable_annotations", "valid_hypervisor_paths", "valid_virtio_fs_daemon_paths",
        "valid_entropy_sources",
    };

    /// <summary>The configuration with a pod's annotations applied; the same one when there are none.</summary>
    /// <exception cref="InvalidSpecException">An annotation is not enabled or its value is wrong; the text names it.</exception>
    internal static KataConfiguration Apply(KataConfiguration configuration, IReadOnlyDictionary<string, string>? annotations)
    {
        ConfigurationValues values = configuration.Values;
        var warnings = new List<string>(configuration.Warnings);
        List<string> names = [.. (annotations?.Keys ?? []).Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))];
        names.Sort(StringComparer.Ordinal);
        foreach (string name in names)
            values = Apply(configuration, values, name, annotations![name], warnings);
        if (names.Count == 0)
            return configuration;

        try
        {
            return ConfigurationBinder.Bind(
                values, configuration.Sources, configuration.Hypervisor.Name, configuration.Path, configuration.DropIns, warnings);
        }
        catch (ConfigurationException exception)
        {
            // The files alone were good, so what is wrong now is a combination with an annotation.
            throw new InvalidSpecException(
                "/annotations", "do not fit the configuration or each other", "Correct the annotations as the reason says", exception);
        }
    }

    private static ConfigurationValues Apply(
        KataConfiguration configuration, ConfigurationValues values, string name, string text, List<string> warnings)
    {
        string suffix = name[Prefix.Length..];
        string field = $"/annotations/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";
        string id = suffix;
        if (suffix.StartsWith(HypervisorPrefix, StringComparison.Ordinal))
        {
            string option = suffix[HypervisorPrefix.Length..];
            CheckEnabled(configuration, field, name, option);
            id = HypervisorPrefix + s_spellings.GetValueOrDefault(option, option);
        }

        ConfigurationKey? key = ConfigurationSchema.Find(id);
        if (key is null || key.Use == KeyUse.Kept || (key.Use == KeyUse.Applied && !s_settable.Contains(id)))
        {
            warnings.Add($"The annotation {SpecText.Quote(name)} {(key is null ? "is not known and has" : "has")} no effect");
            return values;
        }

        object content = ConfigurationCheck.Fit(key, Parse(key, text))
            ?? throw new InvalidSpecException(field, $"holds {SpecText.Quote(text)}", ConfigurationCheck.Remedy(key));
        CheckLimits(configuration, key, field, content);
        if (id is "hypervisor.image" or "hypervisor.initrd")
        {
            // The pod chooses one of the two: the configured other one does not stand against it. Both by annotation still do.
            string other = id == "hypervisor.image" ? "hypervisor.initrd" : "hypervisor.image";
            if (values.Find(other)?.Origin.Source?.StartsWith("annotation ", StringComparison.Ordinal) != true)
                values = values.With(other, new ConfigurationValue("", ConfigurationOrigin.BuiltIn));
        }

        return values.With(id, new ConfigurationValue(content, ConfigurationOrigin.Annotation(name)));
    }

    private static void CheckEnabled(KataConfiguration configuration, string field, string name, string option)
    {
        if (s_never.Contains(option) || option.EndsWith("_hash", StringComparison.Ordinal))
            throw new InvalidSpecException(field, $"annotation {SpecText.Clean(name)} is never taken", "Remove it from the pod");

        foreach (string pattern in configuration.Hypervisor.EnableAnnotations)
        {
            if (AllowPattern.TryParse(pattern, out AllowPattern? allowed, out _) && allowed.IsMatch(option))
                return;
        }

        string file = configuration.Path ?? configuration.Sources.SearchPaths[0];
        throw new InvalidSpecException(
            field,
            $"annotation {SpecText.Clean(name)} is not enabled",
            $"Remove it from the pod, or add \"^{SpecText.Clean(option)}$\" to enable_annotations "
            + $"in [hypervisor.{configuration.Hypervisor.Name}] of '{file}'");
    }

    private static object? Parse(ConfigurationKey key, string text) => key.Type switch
    {
        ConfigurationType.Text => text,
        ConfigurationType.Flag => text switch
        {
            "1" or "t" or "T" or "true" or "TRUE" or "True" => true, // what Go's ParseBool takes, since callers rely on it
            "0" or "f" or "F" or "false" or "FALSE" or "False" => false,
            _ => null,
        },
        ConfigurationType.TextList when key.Section == "hypervisor" => ParseArray(text),
        ConfigurationType.TextList => text.Split(
            key.Section == "agent" ? ';' : ' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole) => whole,
        ConfigurationType.Number when double.TryParse(text, Decimal, CultureInfo.InvariantCulture, out double number) => number,
        _ => null,
    };

    // As Kata has it for arguments, which may hold spaces.
    private static string[]? ParseArray(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Array
                && document.RootElement.EnumerateArray().All(static item => item.ValueKind == JsonValueKind.String)
                ? [.. document.RootElement.EnumerateArray().Select(static item => item.GetString()!)]
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static void CheckLimits(KataConfiguration configuration, ConfigurationKey key, string field, object content)
    {
        if (key.BoundedBy is { } list)
        {
            IReadOnlyList<string> patterns = configuration.Values.Get($"hypervisor.{list}").List;
            string path = (string)content;
            if (path.Length == 0 || path[0] != '/' || !PathGlob.IsAllowed(path, patterns, configuration.Sources.Files))
            {
                throw new InvalidSpecException(
                    field,
                    $"holds {SpecText.Quote(path)}, which {list} does not allow",
                    patterns.Count == 0
                        ? $"Remove it from the pod, or add the path to {list}"
                        : $"It must match one of {string.Join(", ", patterns)}");
            }
        }

        if (key.Name is "default_vcpus" or "default_maxvcpus")
        {
            int host = Math.Clamp(configuration.Sources.HostCpuCount, 1, configuration.Sources.MaxVcpus);
            double count = content is long whole ? whole : (double)content;
            if (count <= 0 || count > host)
            {
                throw new InvalidSpecException(
                    field,
                    FormattableString.Invariant($"holds {count}"),
                    FormattableString.Invariant($"It must be above 0 and at most {host}, the processors of the host"));
            }
        }

        if (key.Name is "kernel" or "image" or "initrd" && content is string { Length: > 0 } asset && asset[0] != '/')
            throw new InvalidSpecException(field, $"holds the relative path {SpecText.Quote(asset)}", "It must be an absolute path");
    }
}
