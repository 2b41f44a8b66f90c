using static Kata.Configuration.ConfigurationType;

namespace Kata.Configuration;

/// <summary>The keys of <c>[hypervisor.NAME]</c> that have an effect.</summary>
internal static partial class ConfigurationSchema
{
    /// <summary>
    /// The size of a pod's machine in MiB where nothing else says so. It is an upper bound, not a cost: the host gives a page to the guest
    /// when the guest first touches it.
    /// </summary>
    internal const long DefaultMemoryMib = 2048;

    /// <summary>The least a guest boots reliably with, in MiB; Kata refuses less too.</summary>
    internal const long MinimumMemoryMib = 256;

    private const string Hypervisor = "hypervisor";

    // A property: a field of this file would be set after the list of keys is made from it.
    private static string[] EntropySources => ["/dev/urandom", "/dev/random"];

    private static IEnumerable<ConfigurationKey> HypervisorKeys() =>
    [
        Applied(Hypervisor, "path", Text, null, "The virtual machine monitor's executable. Found on its usual paths when missing.")
            with { Example = "/usr/bin/qemu-system-x86_64", BoundedBy = "valid_hypervisor_paths" },
        Applied(
            Hypervisor, "valid_hypervisor_paths", TextList, Array.Empty<string>(),
            "Patterns of paths that an annotation may set 'path' to."),
        Applied(Hypervisor, "kernel", Text, null, "The guest's kernel. The installation's own when missing.")
            with { Example = "/usr/share/kata-containers/vmlinuz.container" },
        Applied(
            Hypervisor, "initrd", Text, null,
            "The guest's initial RAM disk. The installation's own when neither this nor 'image' is set.")
            with { Example = "/usr/share/kata-containers/kata-containers-initrd.img" },
        Applied(Hypervisor, "image", Text, "", "The guest's root file system image, instead of 'initrd'. Only one of the two may be set."),
        Applied(Hypervisor, "kernel_params", Text, "", "Words added to the end of the guest kernel's command line."),
        Applied(Hypervisor, "machine_type", Text, "q35", "The kind of machine that is emulated.")
            with { Choices = ["", "q35", "pc", "pc-lite", "microvm", "virt", "pseries", "s390-ccw-virtio"] },
        Applied(
            Hypervisor, "default_vcpus", Number, 1L,
            "Virtual CPUs a pod starts with. A fraction is rounded up, 0 means 1, a negative number or one "
            + "above the host's means all of the host's.")
            with { Minimum = int.MinValue, Maximum = int.MaxValue },
        Applied(Hypervisor, "default_maxvcpus", Whole, 0L, "Virtual CPUs a pod can grow to. 0 or more than the host has means the host's.")
            with { Minimum = 0, Maximum = int.MaxValue },
        Applied(
            Hypervisor, "default_memory", Whole, DefaultMemoryMib,
            "Memory of a pod in MiB. The host gives a page only when the guest first uses it.")
            with { Minimum = MinimumMemoryMib, Maximum = 16_777_216, Unit = "MiB" },
        Applied(
            Hypervisor, "default_maxmemory", Whole, 0L,
            "Memory in MiB that a pod gets at most, whatever its containers may use. 0 or more than the host has means the host's.")
            with { Minimum = 0, Maximum = 16_777_216, Unit = "MiB" },
        Applied(
            Hypervisor, "pcie_root_port", Whole, 0L,
            "PCI Express ports that a pod's machine has free, for host devices that come later. Disks need none.")
            with { Minimum = 0, Maximum = 16 },
        Applied(
            Hypervisor, "enable_hugepages", Flag, false,
            "Whether a pod's memory is made of the host's huge pages, which must be there. All of it is taken when the pod starts."),
        Applied(
            Hypervisor, "enable_mem_prealloc", Flag, false, "Whether all of a pod's memory is taken from the host when the pod starts."),
        Applied(
            Hypervisor, "shared_fs", Text, "virtio-fs",
            "How files of the host reach the guest: by virtio-fs. "
            + "'virtio-9p' and 'inline-virtio-fs' are read as that, the others are refused.")
            with { Choices = ["virtio-fs", "virtio-9p", "virtio-fs-nydus", "inline-virtio-fs", "none"] },
        Applied(Hypervisor, "virtio_fs_daemon", Text, null, "The virtiofsd executable. Found on its usual paths when missing.")
            with { Example = "/usr/lib/qemu/virtiofsd", BoundedBy = "valid_virtio_fs_daemon_paths" },
        Applied(
            Hypervisor, "valid_virtio_fs_daemon_paths", TextList, Array.Empty<string>(),
            "Patterns of paths that an annotation may set 'virtio_fs_daemon' to."),
        Applied(Hypervisor, "virtio_fs_cache", Text, "auto", "How long virtiofsd lets the guest cache files.")
            with { Choices = ["none", "never", "metadata", "auto", "always"] },
        Applied(
            Hypervisor, "virtio_fs_extra_args", TextList, Array.Empty<string>(),
            "Further arguments for virtiofsd, after the runtime's own. They can undo its confinement: an annotation sets them only where "
            + "'enable_annotations' has a pattern for them, and then as a JSON array."),
        Applied(
            Hypervisor, "disable_block_device_use", Flag, false,
            "Whether root file systems on block devices and in images are mounted on the host and shared, "
            + "instead of being disks of the guest."),
        Applied(Hypervisor, "entropy_source", Text, "/dev/urandom", "The host's source of the guest's random numbers, a character device.")
            with { BoundedBy = "valid_entropy_sources" },
        Applied(
            Hypervisor, "valid_entropy_sources", TextList, EntropySources,
            "Patterns of paths that an annotation may set 'entropy_source' to."),
        Rate("rx_rate_limiter_max_rate", "What a pod may receive by each of its network interfaces."),
        Rate("tx_rate_limiter_max_rate", "What a pod may send by each of its network interfaces."),
        Applied(
            Hypervisor, "enable_annotations", TextList, Array.Empty<string>(),
            "Regular expressions of hypervisor options that a pod may set by annotation, matched anywhere in "
            + "the option's name. Nothing may be set when empty."),
        Applied(
            Hypervisor, "seccompsandbox", Text, "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
            "QEMU's own system call filter, as its option '-sandbox' takes it. Empty turns it off."),
        Applied(Hypervisor, "enable_debug", Flag, false, "More messages from the monitor, and the guest kernel's console at full length."),
    ];

    private static IEnumerable<ConfigurationKey> KeptHypervisorKeys() =>
    [
        // A protection that would silently be missing.
        .. DefaultOnly(Flag, false, "confidential_guest", "sev_snp_guest"),
        .. DefaultOnly(Text, "", "kernel_verity_params", "initdata"),
        .. Kept(
            Hypervisor, Text,
            "jailer_path", "ctlpath", "firmware", "firmware_volume", "machine_accelerators", "cpu_features", "rootfs_type",
            "file_mem_backend", "block_device_driver", "block_device_aio", "vhost_user_store_path", "guest_hook_path",
            "hot_plug_vfio", "cold_plug_vfio",
            "guest_memory_dump_path", "snp_id_block", "snp_id_auth", "measurement_algo", "extra_monitor_socket", "hypervisor_loglevel",
            "remote_hypervisor_socket", "vm_rootfs_driver", "prefetch_list_path", "hugepage_type", "guest_swap_path", "selinux_label",
            "seccomp_sandbox", "template_path", "vm_cache_endpoint"),
        .. Kept(
            Hypervisor, Flag,
            "enable_virtio_mem", "enable_swap", "enable_iommu", "enable_iommu_platform",
            "block_device_cache_set", "block_device_cache_direct", "block_device_cache_noflush",
            "enable_iothreads", "enable_vhost_user_store", "use_vsock", "disable_vhost_net", "disable_image_nvdimm",
            "hotplug_vfio_on_root_bus", "disable_nesting_checks", "reclaim_guest_freed_memory", "enable_numa", "guest_memory_dump_paging",
            "enable_guest_swap", "disable_seccomp", "disable_selinux", "disable_guest_selinux", "use_legacy_serial", "virtio_fs_is_dax",
            "rootless", "boot_to_be_template", "boot_from_template", "disable_nested_virtualization"),
        .. Kept(
            Hypervisor, Whole,
            "memory_slots", "memory_offset", "default_bridges", "virtio_fs_cache_size", "msize_9p", "pcie_switch_port",
            "tdx_quote_generation_service_socket_port", "block_device_logical_sector_size",
            "block_device_physical_sector_size", "vhost_user_reconnect_timeout_sec", "virtio_fs_queue_size", "indep_iothreads",
            "snp_guest_policy", "disk_rate_limiter_bw_max_rate", "disk_rate_limiter_bw_one_time_burst",
            "disk_rate_limiter_ops_max_rate", "disk_rate_limiter_ops_one_time_burst",
            "net_rate_limiter_bw_max_rate", "net_rate_limiter_bw_one_time_burst", "net_rate_limiter_ops_max_rate",
            "net_rate_limiter_ops_one_time_burst", "remote_hypervisor_timeout", "queue_size", "num_queues", "network_queues",
            "guest_swap_size_percent", "guest_swap_create_threshold_secs", "overhead_memory", "default_gpus"),
        .. Kept(Hypervisor, Number, "overhead_vcpus"),
        .. Kept(
            Hypervisor, TextList,
            "valid_jailer_paths", "valid_ctlpaths", "valid_file_mem_backends", "valid_vhost_user_store_paths", "pflashes", "numa_mapping",
            "memory_backend_args"),
        .. Kept(
            Hypervisor, Any,
            "log_level", "guest_extension_images", "rootless_user", "default_gpu_model", "memory_path", "device_state_path",
            "prefetch_files"),
    ];

    private static ConfigurationKey Rate(string name, string description) =>
        Applied(Hypervisor, name, Whole, 0L, $"{description} 0 is no limit.") with { Minimum = 0, Unit = "bits per second" };

    private static List<ConfigurationKey> DefaultOnly(ConfigurationType type, object value, params ReadOnlySpan<string> names)
    {
        var keys = new List<ConfigurationKey>(names.Length);
        foreach (string name in names)
            keys.Add(new ConfigurationKey(Hypervisor, name, type, value, KeyUse.DefaultOnly, ""));
        return keys;
    }
}
