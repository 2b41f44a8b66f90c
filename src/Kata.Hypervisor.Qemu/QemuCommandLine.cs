using System.Globalization;

namespace Kata.Hypervisor.Qemu;

/// <summary>
/// QEMU's argument vector, a pure function. No default device, no user configuration, no user-mode network, no host path but
/// those of the jail; modern virtio only; QEMU's own system call filter on.
/// </summary>
internal static class QemuCommandLine
{
    /// <summary>The kernel's name in the jail.</summary>
    public const string KernelName = "kernel";

    /// <summary>The initial RAM file system's name in the jail.</summary>
    public const string InitrdName = "initrd";

    /// <summary>The QMP id of the agent's virtio-serial port, as VSERPORT_CHANGE names it.</summary>
    public const string AgentPortId = "channel0";

    /// <summary>The device behind which a file server is.</summary>
    public const string SharedFilesystemDevice = "vhost-user-fs-pci";

    /// <summary>
    /// x86-64-v2, which distributions ask for, and no more: emulated AVX and fast string moves are slower than the loops that libraries
    /// fall back to. RDRAND fills the kernel's entropy pool at boot; without it the agent waits a second for random bytes (ADR 9).
    /// </summary>
    private const string EmulatedProcessor = "Nehalem,+rdrand";

    /// <summary>
    /// The guest's kernel guards against flaws of the processor it believes to run on, and pays at each system call: page-table isolation
    /// throws away the emulator's translated addresses twice. An emulated processor has none of the flaws (ADR 9). QEMU 7.2 leaves wrong flags
    /// behind CMPXCHG16B, by which kernel 6.12 died in one boot of five: the kernel does without, programs still see the instruction.
    /// </summary>
    private const string EmulatedParameters = "mitigations=off clearcpuid=cx16";

    /// <summary>
    /// One thread emulates all processors. With one each, a processor that maps a device's registers throws away the others' translated
    /// addresses while they use them: QEMU before 8.1 crashes or hangs in a few boots of a thousand on a busy host (ADR 9).
    /// </summary>
    private const string EmulationThreads = "single";

    /// <summary>
    /// The translation cache of software emulation. QEMU's own choice is up to 1 GiB, which a long-running guest fills; with this
    /// one a booted guest costs about 80 MB besides its memory, and boots as fast.
    /// </summary>
    private const int TranslationCacheMib = 64;

    public static IReadOnlyList<string> Build(VirtualMachineConfig config, QemuDescriptors descriptors)
    {
        List<string> arguments =
        [
            "qemu",
            "-name", $"guest=sandbox-{EscapeValue(config.Name)},debug-threads=on",
            "-nodefaults", "-no-user-config", "-no-reboot",
            "-display", "none",
            // The processors wait for "cont", so that no event of the guest can come before we listen.
            "-S",
            "-machine", $"{config.MachineType},memory-backend=mem0,usb=off,vmport=off,sata=off,smbus=off{HpetFor(config)}",
        ];
        arguments.AddRange(config.Accelerator == Accelerator.Kvm
            ? ["-accel", "kvm", "-cpu", "host,pmu=off", "-global", "kvm-pit.lost_tick_policy=discard"]
            : ["-accel", $"tcg,thread={EmulationThreads},tb-size={TranslationCacheMib}", "-cpu", EmulatedProcessor]);
        string memory = config.MemoryMib.ToString(CultureInfo.InvariantCulture);
        arguments.AddRange(
        [
            "-smp", config.VcpuCount.ToString(CultureInfo.InvariantCulture),
            "-m", $"{memory}M",
            // vhost-user daemons map the guest's memory.
            "-object", $"memory-backend-memfd,id=mem0,size={memory}M,share=on{(config.HugePages ? ",hugetlb=on,hugetlbsize=2M" : "")}{(config.PreallocateMemory ? ",prealloc=on" : "")}",
            "-rtc", "base=utc,driftfix=slew,clock=host",
            "-kernel", "/" + KernelName,
        ]);
        if (config.InitrdPath is not null)
        {
            arguments.AddRange(["-initrd", "/" + InitrdName]);
        }

        arguments.AddRange(["-append", KernelParameters(config, descriptors)]);
        arguments.AddRange(
        [
            "-chardev", $"socket,id=monitor,fd={descriptors.Monitor}",
            "-mon", "chardev=monitor,mode=control",
            "-chardev", $"socket,id=console,fd={descriptors.Console}",
            "-serial", "chardev:console",
            "-device", "pvpanic-pci",
            .. Entropy(config, descriptors),
            "-device", "virtio-rng-pci,rng=rng0,disable-legacy=on",
        ]);
        AddAgentChannel(arguments, config, descriptors);
        AddSharedFilesystems(arguments, config, descriptors);
        if (config.SystemCallFilter.Length > 0)
        {
            arguments.AddRange(["-sandbox", config.SystemCallFilter]);
        }

        return arguments;
    }

    /// <summary>A value inside an option list: QEMU reads <c>,,</c> as one comma.</summary>
    internal static string EscapeValue(string value) => value.Replace(",", ",,", StringComparison.Ordinal);

    private static string[] Entropy(VirtualMachineConfig config, QemuDescriptors descriptors) =>
        config.EntropySource == VirtualMachineConfig.KernelEntropy
            ? ["-object", "rng-builtin,id=rng0"]
            : ["-add-fd", $"fd={descriptors.Entropy},set=1", "-object", "rng-random,id=rng0,filename=/dev/fdset/1"];

    // Without it the guest does not calibrate against an emulated HPET; other machines do not know the property.
    private static string HpetFor(VirtualMachineConfig config) => config.MachineType is "q35" or "pc" ? ",hpet=off" : "";

    // The configuration's parameters come after ours: the kernel lets the last one win.
    private static string KernelParameters(VirtualMachineConfig config, QemuDescriptors descriptors)
    {
        string parameters = config.Accelerator == Accelerator.Kvm ? config.KernelParameters : $"{EmulatedParameters} {config.KernelParameters}";
        return config.AgentTransport == AgentTransport.Vsock
            ? $"{parameters} agent.channel=vsock agent.vsock_port={descriptors.VsockPort}"
            : parameters;
    }

    private static void AddAgentChannel(List<string> arguments, VirtualMachineConfig config, QemuDescriptors descriptors) =>
        arguments.AddRange(config.AgentTransport == AgentTransport.Vsock
            ? ["-device", $"vhost-vsock-pci,id=vsock0,guest-cid={descriptors.VsockContextId},vhostfd={descriptors.Agent}"]
            :
            [
                "-device", "virtio-serial-pci,id=serial0,disable-legacy=on",
                "-chardev", $"socket,id=agent,fd={descriptors.Agent}",
                "-device", $"virtserialport,bus=serial0.0,chardev=agent,id={AgentPortId},name=agent.channel.0",
            ]);

    private static void AddSharedFilesystems(List<string> arguments, VirtualMachineConfig config, QemuDescriptors descriptors)
    {
        for (int i = 0; i < config.SharedFilesystems.Count; i++)
        {
            string tag = EscapeValue(config.SharedFilesystems[i].Tag);
            arguments.AddRange(
            [
                "-chardev", $"socket,id=fs{i},fd={descriptors.FirstSharedFilesystem + i}",
                "-device", $"{SharedFilesystemDevice},chardev=fs{i},tag={tag},queue-size=1024",
            ]);
        }
    }
}
