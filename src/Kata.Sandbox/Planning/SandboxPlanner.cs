using System.Globalization;
using Kata.Configuration;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Network;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>Turns configuration, host and the first container's specification into a <see cref="SandboxPlan"/>. Pure.</summary>
internal static class SandboxPlanner
{
    /// <summary>
    /// What every guest of ours boots with: a serial console that also catches the earliest panic, a panic that ends the VM at
    /// once (the monitor's event says so first), no probing for hardware that is not there.
    /// </summary>
    internal const string BaseParameters =
        "console=ttyS0 8250.nr_uarts=1 panic=-1 pci=lastbus=0 net.ifnames=0 tsc=reliable no_timer_check noreplace-smp "
        + "rcupdate.rcu_expedited=1 i8042.noaux=1 i8042.nomux=1 i8042.nopnp=1 i8042.dumbkbd=1 cryptomgr.notests random.trust_cpu=on";

    /// <summary>What version 1 of cgroups calls no limit, PAGE_COUNTER_MAX in whole pages; some callers pass it on.</summary>
    private static readonly long s_noMemoryLimit = long.MaxValue / Environment.SystemPageSize * Environment.SystemPageSize;

    /// <param name="id">The pod.</param>
    /// <param name="configuration">With the specification's annotations applied.</param>
    /// <param name="host">What the machine runs on.</param>
    /// <param name="spec">The first container's.</param>
    /// <param name="cgroup">The control group that the pod's name decides, for where the specification names none.</param>
    /// <exception cref="InvalidSpecException">
    /// The specification names an impossible control group, or limits that cannot be read.
    /// </exception>
    /// <exception cref="ConfigurationException">The configuration asks for what this version has no driver for.</exception>
    public static SandboxPlan Plan(SandboxId id, KataConfiguration configuration, AcceleratorChoice host, RuntimeSpec spec, string cgroup)
    {
        AvailableChoices.Check(configuration);
        HypervisorConfig hypervisor = configuration.Hypervisor;
        LimitsConfig limits = configuration.Limits;
        SandboxSize size = SandboxSizing.Plan(hypervisor, spec);
        List<string> warnings = [.. configuration.Warnings, .. configuration.ReadAs, .. size.Warnings];
        if (host.Warning is { } warning)
        {
            warnings.Add(warning);
        }

        return new SandboxPlan
        {
            Id = id,
            Hypervisor = hypervisor.Name,
            Machine = new MachineConfig
            {
                Name = id.Value,
                HypervisorPath = hypervisor.Path,
                MachineType = hypervisor.MachineType,
                KernelPath = hypervisor.KernelPath,
                InitrdPath = hypervisor.InitrdPath,
                KernelParameters = KernelParameters(configuration),
                VcpuCount = size.Vcpus,
                MaxVcpuCount = Math.Max(size.Vcpus, hypervisor.MaxVcpus),
                MemoryMib = size.MemoryMib,
                MaxMemoryMib = Math.Max(size.MemoryMib, (int)Math.Min(hypervisor.MaxMemoryMib, int.MaxValue)),
                HugePages = hypervisor.HugePages,
                PreallocateMemory = hypervisor.PreallocateMemory || hypervisor.HugePages,
                Accelerator = host.Accelerator,
                TimestampKhz = host.TimestampKhz,
                JailUserId = limits.JailUser,
                JailGroupId = limits.JailUser,
                SystemCallFilter = hypervisor.SeccompSandbox,
                RootPorts = hypervisor.RootPorts,
                Devices =
                [
                    new ConsoleDevice(),
                    new RandomDevice(FromHostDevice: hypervisor.EntropySource != RandomSource.Kernel),
                    new AgentChannelDevice(host.AgentTransport),
                    new FileShareDevice(GuestPaths.ShareDevice, GuestPaths.ShareTag),
                ],
                MonitorTimeout = limits.RequestTimeout,
                StopTimeout = limits.StopTimeout,
            },
            BaseVcpus = hypervisor.DefaultVcpus,
            Cgroup = CgroupPath.Of(spec.Linux?.CgroupsPath, cgroup, configuration.Runtime.SandboxCgroupOnly),
            ProcessorCgroup = configuration.Runtime.SandboxCgroupOnly
                ? null
                : CgroupPath.Of(spec.Linux?.CgroupsPath, cgroup, inRequested: true),
            EntropySource = hypervisor.EntropySource,
            Interfaces = new EndpointOptions
            {
                Model = ModelOf(configuration),
                ReceiveRate = BytesOf(hypervisor.ReceiveBitsPerSecond),
                SendRate = BytesOf(hypervisor.SendBitsPerSecond),
            },
            AllowsHostNetwork = configuration.Runtime.DisableNewNetworkNamespace,
            VirtioFsDaemonPath = hypervisor.VirtioFsDaemonPath,
            VirtioFsCache = hypervisor.VirtioFsCache,
            VirtioFsExtraArguments = hypervisor.VirtioFsExtraArguments,
            Timeouts = new SandboxTimeouts(
                limits.BootTimeout, configuration.Agent.DialTimeout, limits.RequestTimeout, configuration.Runtime.CreateContainerTimeout,
                limits.AgentCheckInterval, limits.StopTimeout, limits.StdioDrainTimeout),
            Hostname = spec.Hostname ?? "",
            GuestSeccomp = !configuration.Runtime.DisableGuestSeccomp,
            BlockDevices = !hypervisor.DisableBlockDeviceUse,
            KernelModules = configuration.Agent.KernelModules,
            Debug = configuration.Runtime.EnableDebug,
            Warnings = warnings,
        };
    }

    /// <summary>How the interfaces of a pod without annotations are connected with its guest.</summary>
    public static EndpointModel ModelOf(KataConfiguration configuration) => configuration.Runtime.NetworkModel switch
    {
        "macvtap" => EndpointModel.Macvtap,
        "none" => EndpointModel.None,
        _ => EndpointModel.TcFilter,
    };

    /// <summary>
    /// The plan with one warning more where the groups above the pod's allow it less than its containers and the machine around them take:
    /// an orchestrator that knows nothing of the machine gives the pod what its containers may use, and no more.
    /// </summary>
    /// <param name="plan">The pod's.</param>
    /// <param name="spec">The first container's.</param>
    /// <param name="boundsOf">What is above a control group.</param>
    public static SandboxPlan Within(SandboxPlan plan, RuntimeSpec spec, Func<string, CgroupBounds> boundsOf)
    {
        var bounds = new CgroupBounds(boundsOf(plan.ProcessorCgroup ?? plan.Cgroup).Processors, boundsOf(plan.Cgroup).MemoryBytes);
        double containers = PodLimits.Of(spec).MilliProcessors / 1000.0;
        var allowed = new List<string>();
        if (containers > 0 && bounds.Processors < containers + plan.BaseVcpus)
        {
            allowed.Add(string.Create(
                CultureInfo.InvariantCulture, $"{bounds.Processors:0.###} of the {containers + plan.BaseVcpus:0.###} processors"));
        }

        long memory = ((long)plan.Machine.MemoryMib << 20) + HostLimits.OverheadBytes;
        if (bounds.MemoryBytes < memory)
        {
            allowed.Add($"{bounds.MemoryBytes >> 20} of the {memory >> 20} MiB of memory");
        }

        return allowed.Count == 0 ? plan : plan with
        {
            Warnings =
            [
                .. plan.Warnings,
                $"The host's control groups above '{plan.Cgroup}' allow the pod {string.Join(" and ", allowed)} "
                    + "that its containers and its machine may take together. "
                    + "Allow for the machine there, in Kubernetes by the overhead of the pod's RuntimeClass",
            ],
        };
    }

    private static string KernelParameters(KataConfiguration configuration)
    {
        bool debug = configuration.Hypervisor.EnableDebug || configuration.Agent.EnableDebug;
        string verbosity = debug ? "debug agent.log=debug" : "quiet";
        // The user's come last: the kernel lets the last one win.
        return $"{BaseParameters} {verbosity} {configuration.Hypervisor.KernelParameters}".TrimEnd();
    }

    // A rate of bits, of which 0 is none; the kernel's smallest is a byte a second.
    private static ulong? BytesOf(long bits) => bits == 0 ? null : ((ulong)bits + 7) / 8;

    /// <summary>Bytes, or null for none.</summary>
    internal static long? MemoryLimitOf(LinuxResources resources) =>
        resources.Memory?.Limit is > 0 and var limit && limit < s_noMemoryLimit ? limit : null;
}
