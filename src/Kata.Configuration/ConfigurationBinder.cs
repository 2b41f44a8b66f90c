using Kata.Oci;

namespace Kata.Configuration;

/// <summary>
/// Turns values that fit their keys into the configuration: computes what is not set, and checks keys against each other.
/// </summary>
internal static class ConfigurationBinder
{
    private const string GuestFiles = "share/kata-containers";

    internal static KataConfiguration Bind(
        ConfigurationValues values,
        ConfigurationSources sources,
        string hypervisor,
        string? path,
        IReadOnlyList<string> dropIns,
        IReadOnlyList<string> warnings) => new()
        {
            Path = path,
            DropIns = dropIns,
            Hypervisor = BindHypervisor(values, sources, hypervisor),
            Runtime = new RuntimeConfig
            {
                EnableDebug = values.Get("runtime.enable_debug").Flag,
                DisableGuestSeccomp = values.Get("runtime.disable_guest_seccomp").Flag,
                SandboxCgroupOnly = values.Get("runtime.sandbox_cgroup_only").Flag,
                DisableNewNetworkNamespace = values.Get("runtime.disable_new_netns").Flag,
                NetworkModel = AvailableChoices.NetworkModelOf(values),
                DirectNetworkDirectory = AbsolutePath(values, "dan_conf", "runtime"),
                CreateContainerTimeout = Seconds(values, "runtime.create_container_timeout"),
            },
            Agent = new AgentConfig
            {
                EnableDebug = values.Get("agent.enable_debug").Flag,
                KernelModules = values.Get("agent.kernel_modules").List,
                DialTimeout = Seconds(values, "agent.dial_timeout"),
            },
            Limits = new LimitsConfig
            {
                BootTimeout = Seconds(values, "kata.boot_timeout"),
                RequestTimeout = Seconds(values, "kata.request_timeout"),
                AgentCheckInterval = Seconds(values, "kata.agent_check_interval"),
                StopTimeout = Seconds(values, "kata.stop_timeout"),
                StdioDrainTimeout = Seconds(values, "kata.stdio_drain_timeout"),
                JailUser = (uint)values.Get("kata.jail_user").Whole,
            },
            Factory = new FactoryConfig
            {
                CacheNumber = (int)values.Get("factory.vm_cache_number").Whole,
                CacheEndpoint = AbsolutePath(values, "vm_cache_endpoint", "factory") ?? FactoryConfig.DefaultCacheEndpoint,
            },
            Warnings = warnings,
            ReadAs = AvailableChoices.Replaced(values),
            WithoutEffect = [.. values.Set.Where(item => ConfigurationSchema.Find(item.Key) is not { Use: KeyUse.Applied })],
            Values = values,
            Sources = sources,
        };

    private static HypervisorConfig BindHypervisor(ConfigurationValues values, ConfigurationSources sources, string name)
    {
        foreach (string pattern in values.Get("hypervisor.enable_annotations").List)
            CheckPattern(values.Get("hypervisor.enable_annotations").Origin, pattern);

        double exactVcpus = Vcpus(values.Get("hypervisor.default_vcpus").Number, sources);
        int vcpus = (int)Math.Ceiling(exactVcpus);
        (string? initrd, string? image) = GuestRoot(values, sources);
        return new HypervisorConfig
        {
            Name = name,
            Path = AbsolutePath(values, "path") ?? FirstExisting(sources, sources.HypervisorPaths),
            KernelPath = AbsolutePath(values, "kernel") ?? GuestFile(sources, "vmlinuz.container"),
            InitrdPath = initrd,
            ImagePath = image,
            KernelParameters = KernelParameters(values),
            MachineType = values.Get("hypervisor.machine_type").Text,
            DefaultVcpus = vcpus,
            Vcpus = exactVcpus,
            MaxVcpus = MaxVcpus(values, sources, vcpus),
            MemoryMib = values.Get("hypervisor.default_memory").Whole,
            MaxMemoryMib = MaxMemory(values, sources),
            RootPorts = (int)values.Get("hypervisor.pcie_root_port").Whole,
            HugePages = values.Get("hypervisor.enable_hugepages").Flag,
            PreallocateMemory = values.Get("hypervisor.enable_mem_prealloc").Flag,
            SharedFs = AvailableChoices.FileSharingOf(values),
            VirtioFsDaemonPath = AbsolutePath(values, "virtio_fs_daemon") ?? FirstExisting(sources, sources.VirtioFsDaemonPaths),
            VirtioFsCache = values.Get("hypervisor.virtio_fs_cache").Text,
            VirtioFsExtraArguments = values.Get("hypervisor.virtio_fs_extra_args").List,
            DisableBlockDeviceUse = values.Get("hypervisor.disable_block_device_use").Flag,
            EntropySource = AbsolutePath(values, "entropy_source") ?? "/dev/urandom",
            ReceiveBitsPerSecond = values.Get("hypervisor.rx_rate_limiter_max_rate").Whole,
            SendBitsPerSecond = values.Get("hypervisor.tx_rate_limiter_max_rate").Whole,
            EnableAnnotations = values.Get("hypervisor.enable_annotations").List,
            SeccompSandbox = values.Get("hypervisor.seccompsandbox").Text,
            EnableDebug = values.Get("hypervisor.enable_debug").Flag,
        };
    }

    private static void CheckPattern(ConfigurationOrigin origin, string pattern)
    {
        if (!AllowPattern.TryParse(pattern, out _, out string? error))
        {
            throw new ConfigurationException(
                origin,
                $"hypervisor.enable_annotations holds {ConfigurationValue.Write(SpecText.Clean(pattern))}: {error}",
                "Correct the regular expression");
        }
    }

    private static (string? Initrd, string? Image) GuestRoot(ConfigurationValues values, ConfigurationSources sources)
    {
        string? initrd = AbsolutePath(values, "initrd");
        string? image = AbsolutePath(values, "image");
        if (initrd is not null && image is not null)
        {
            ConfigurationValue other = values.Get("hypervisor.image");
            throw new ConfigurationException(
                values.Find("hypervisor.initrd")!.Origin,
                $"both initrd and image are set, the latter in {other.Origin}",
                "Set only one of them, or the other one to \"\"");
        }

        return (image is null ? initrd ?? GuestFile(sources, "kata-containers-initrd.img") : null, image);
    }

    private static double Vcpus(double wanted, ConfigurationSources sources)
    {
        int host = Math.Clamp(sources.HostCpuCount, 1, sources.MaxVcpus);
        return wanted switch
        {
            <= -1 => host,
            <= 0 => 1, // a fraction is rounded up: to 0
            _ => Math.Min(wanted, host),
        };
    }

    private static long MaxMemory(ConfigurationValues values, ConfigurationSources sources)
    {
        ConfigurationValue setting = values.Get("hypervisor.default_maxmemory");
        long memory = values.Get("hypervisor.default_memory").Whole;
        if (setting.Whole > 0 && setting.Whole < memory)
        {
            throw new ConfigurationException(
                setting.Origin,
                $"hypervisor.default_maxmemory holds {setting.Whole}, below default_memory, which is {memory}",
                "Raise it, or set it to 0 for all of the host's");
        }

        // The host gives memory as it is used: a configuration for a larger host must not fail on a small one.
        return Math.Max(memory, setting.Whole == 0 ? sources.HostMemoryMib : Math.Min(setting.Whole, sources.HostMemoryMib));
    }

    private static int MaxVcpus(ConfigurationValues values, ConfigurationSources sources, int vcpus)
    {
        ConfigurationValue setting = values.Get("hypervisor.default_maxvcpus");
        int host = Math.Clamp(sources.HostCpuCount, 1, sources.MaxVcpus);
        int max = setting.Whole == 0 ? host : (int)Math.Min(setting.Whole, host);
        return max >= vcpus
            ? max
            : throw new ConfigurationException(
                setting.Origin,
                $"hypervisor.default_maxvcpus holds {max}, below default_vcpus, which is {vcpus}",
                "Raise it, or set it to 0 for all of the host's");
    }

    private static string KernelParameters(ConfigurationValues values)
    {
        ConfigurationValue value = values.Get("hypervisor.kernel_params");
        return value.Text.Any(char.IsControl)
            ? throw new ConfigurationException(
                value.Origin,
                $"hypervisor.kernel_params holds {SpecText.Clean(value.ToString())}",
                "It must be one line without control characters")
            : value.Text;
    }

    private static string? AbsolutePath(ConfigurationValues values, string key, string section = "hypervisor")
    {
        ConfigurationValue? value = values.Find($"{section}.{key}");
        if (value is null || value.Text.Length == 0)
            return null;
        return value.Text[0] == '/'
            ? value.Text
            : throw new ConfigurationException(
                value.Origin, $"{section}.{key} holds {SpecText.Clean(value.ToString())}", "It must be an absolute path");
    }

    private static string GuestFile(ConfigurationSources sources, string name)
    {
        IReadOnlyList<string> places = sources.Installed(System.IO.Path.Combine(GuestFiles, name));
        return places.FirstOrDefault(sources.Files.Exists) ?? places[0];
    }

    private static string FirstExisting(ConfigurationSources sources, IReadOnlyList<string> candidates) =>
        candidates.FirstOrDefault(sources.Files.Exists) ?? candidates[^1]; // none: the one that Debian 12's packages would bring

    private static TimeSpan Seconds(ConfigurationValues values, string id) => TimeSpan.FromSeconds(values.Get(id).Number);
}
