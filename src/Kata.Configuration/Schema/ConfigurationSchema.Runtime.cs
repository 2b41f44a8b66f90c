using static Kata.Configuration.ConfigurationType;

namespace Kata.Configuration;

/// <summary>The keys of the other sections.</summary>
internal static partial class ConfigurationSchema
{
    private const string Agent = "agent";
    private const string Runtime = "runtime";
    private const string Kata = "kata";
    private const string Factory = "factory";
    private const double DaySeconds = 86_400;

    private static IEnumerable<ConfigurationKey> AgentKeys() =>
    [
        Applied(Agent, "enable_debug", Flag, false, "More messages from the guest's agent."),
        Applied(
            Agent, "kernel_modules", TextList, Array.Empty<string>(),
            "Kernel modules the guest loads before the first container, each with its parameters: \"e1000e InterruptThrottleRate=3000\"."),
        Seconds(Agent, "dial_timeout", 45, "How long an agent whose channel is open may take to say who it is."),
        .. Kept(Agent, Flag, "enable_tracing", "debug_console_enabled"),
        .. Kept(Agent, Text, "trace_mode", "trace_type", "policy"),
        .. Kept(
            Agent, Whole,
            "cdh_api_timeout", "cdh_api_timeout_ms", "launch_process_timeout", "server_port", "log_port", "passfd_listener_port",
            "reconnect_timeout_ms", "dial_timeout_ms", "request_timeout_ms", "health_check_request_timeout_ms", "container_pipe_size",
            "create_container_timeout"),
        .. Kept(Agent, Any, "visible_cdi_devices", "mem_agent"),
    ];

    private static IEnumerable<ConfigurationKey> RuntimeKeys() =>
    [
        Applied(Runtime, "hypervisor_name", Text, "", "Which [hypervisor.NAME] table applies, where a file has several."),
        Applied(Runtime, "enable_debug", Flag, false, "Whether a pod's service logs what developers want to know, as with '--debug'."),
        Applied(Runtime, "disable_guest_seccomp", Flag, false, "Whether the container's system call filter is left out in the guest."),
        Applied(
            Runtime, "sandbox_cgroup_only", Flag, true,
            "Whether a pod's host processes are in the cgroup that its engine names, and limited there; "
            + "else they are below /kata_overhead, without limits."),
        Seconds(Runtime, "create_container_timeout", 60, "How long the guest may take to create one container."),
        Applied(
            Runtime, "internetworking_model", Text, "tcfilter",
            "How a guest's network card is connected with its interface of the pod's network namespace: by traffic control, "
            + "by a macvtap over the interface, or not at all. 'bridged' and 'enlightened' are read as 'tcfilter'.")
            with { Choices = ["tcfilter", "macvtap", "bridged", "enlightened", "none"] }, // these two are Kata 1.x's
        Applied(
            Runtime, "disable_new_netns", Flag, false,
            "Whether a pod may ask for the host's network. No guest can be in it: it then has a loopback interface only."),
        Applied(
            Runtime, "dan_conf", Text, "",
            "A directory, as /run/kata-containers/dans: where it has a file POD.json, a pod of that id has the network cards that the file "
            + "names, and not those of its network namespace."),
        .. Kept(
            Runtime, Flag,
            "enable_tracing", "enable_agent_pidns", "enable_vcpus_pinning", "enable_pprof", "disable_guest_empty_dir",
            "experimental_force_guest_pull", "keep_abnormal", "use_passfd_io", "static_sandbox_resource_mgmt"),
        .. Kept(
            Runtime, Text,
            "jaeger_endpoint", "jaeger_user", "jaeger_password", "vfio_mode", "guest_selinux_label", "emptydir_mode",
            "pod_resource_api_sock", "kubelet_root_dir", "name", "agent_name"),
        .. Kept(Runtime, TextList, "sandbox_bind_mounts", "experimental"),
        .. Kept(Runtime, Whole, "passfd_listener_port"),
        .. Kept(Runtime, Any, "log_level", "shared_mounts"),
    ];

    private static IEnumerable<ConfigurationKey> KataKeys() =>
    [
        Seconds(Kata, "boot_timeout", 60, "How long the guest may take from the start of the monitor until its agent is up."),
        Seconds(Kata, "request_timeout", 60, "How long one answer of the agent or the monitor may take."),
        Seconds(
            Kata, "agent_check_interval", 30,
            "How often the agent is asked whether it still answers. "
            + "A guest that leaves two questions in a row without an answer has failed."),
        Seconds(Kata, "stop_timeout", 10, "How long a machine may take to end before it is killed."),
        Seconds(Kata, "stdio_drain_timeout", 10, "How long the rest of a finished process's output is waited for."),
        Applied(
            Kata, "jail_user", Whole, 65534L,
            "The user and group id the monitor runs as. Never 0.") with { Minimum = 1, Maximum = 4_294_967_294 },
    ];

    private static IEnumerable<ConfigurationKey> OtherKeys() =>
    [
        .. Kept("factory", Flag, "enable_template"),
        .. Kept("factory", Text, "template_path"),
        Applied(
            Factory, "vm_cache_number", Whole, 0L,
            "How many machines 'kata-runtime factory' keeps ready, each with its service. A pod that asks for no other machine takes "
            + "one of them. 0 is none.") with { Minimum = 0, Maximum = 1000 },
        Applied(
            Factory, "vm_cache_endpoint", Text, FactoryConfig.DefaultCacheEndpoint,
            "The socket of the process that keeps them ready. They lie in the directory of that name without its ending, which has to be "
            + "on the file system of the state root."),
        .. Kept("proxy", Text, "path"),
        .. Kept("proxy", Flag, "enable_debug"),
        .. Kept("shim", Text, "path"),
        .. Kept("shim", Flag, "enable_debug", "enable_tracing"),
        .. Kept("netmon", Text, "path"),
        .. Kept("netmon", Flag, "enable_netmon", "enable_debug"),
    ];

    // The limits of all waits: not so short that a slow host fails by accident, not so long that nobody comes to look.
    private static ConfigurationKey Seconds(string section, string name, long value, string description) =>
        Applied(section, name, Number, value, description) with { Minimum = 0.1, Maximum = DaySeconds, Unit = "seconds" };
}
