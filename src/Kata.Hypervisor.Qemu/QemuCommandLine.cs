using System.Globalization;
using Kata.Hypervisor.Qemu.Qmp;

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

    /// <summary>
    /// x86-64-v2, which distributions ask for, and no more: emulated AVX and fast string moves are slower than the loops that libraries
    /// fall back to. RDRAND fills the kernel's entropy pool at boot; without it the agent waits a second for random bytes (ADR 9).
    /// </summary>
    private const string EmulatedProcessor = "Nehalem,+rdrand";

    /// <summary>
    /// The guest's kernel guards against flaws of the processor it believes to run on, and pays at each system call: page-table isolation
    /// throws away the emulator's translated addresses twice. An emulated processor has none of the flaws (ADR 9).
    /// QEMU 7.2 leaves wrong flags behind CMPXCHG16B, by which kernel 6.12 died in one boot of five: the kernel does without, programs
    /// still see the instruction.
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

    /// <summary>Slots for memory that comes while the machine runs; each is a device of its own then.</summary>
    private const int MemorySlots = 10;

    /// <summary>The first PCI Express port's place on the root bus; each function of a slot is a port.</summary>
    private const int FirstPortSlot = 0x1c;

    private const int FunctionsOfASlot = 8;

    /// <summary>
    /// One thread emulates without the memory barriers between what the guest and a device write into a queue, so that now and then one of
    /// them does not see that it has to notify the other. By event indices that is for good, as each of them is passed only once: a card or
    /// a share that stands still. By flags the next notification makes up for it (ADR 9).
    /// </summary>
    private static readonly string[] s_emulatedQueues = ["-global", "virtio-device.event_idx=off"];

    /// <param name="config">The machine.</param>
    /// <param name="monitor">The listening socket of the control channel.</param>
    /// <param name="devices">What <see cref="MachineConfig.Devices"/> are to QEMU, in that order.</param>
    /// <param name="vsockPort">The host's vsock port that the agent dials; null where it has another channel.</param>
    public static IReadOnlyList<string> Build(
        MachineConfig config, QemuHandle monitor, IEnumerable<QemuPart> devices, uint? vsockPort = null)
    {
        QemuBoard board = QemuBoard.Of(config.MachineType);
        List<string> arguments =
        [
            "qemu",
            "-name", $"guest=sandbox-{EscapeValue(config.Name)},debug-threads=on",
            "-nodefaults", "-no-user-config", "-no-reboot",
            "-display", "none",
            // The processors wait for "cont", so that no event of the guest can come before we listen.
            "-S",
            "-machine", board.MachineOption,
        ];
        arguments.AddRange(config.Accelerator == Accelerator.Kvm
            ? ["-accel", "kvm", "-cpu", "host,pmu=off", .. board.IsPci ? (string[])["-global", "kvm-pit.lost_tick_policy=discard"] : []]
            : ["-accel", $"tcg,thread={EmulationThreads},tb-size={TranslationCacheMib}", "-cpu", EmulatedProcessor, .. s_emulatedQueues]);
        if (config.Accelerator != Accelerator.Kvm && board.IsPci && config.Devices.Any(static device => device is VhostUserNetworkDevice))
        {
            // Without KVM, QEMU (7.2) ends by SIGSEGV where such a card has interrupts by message: it asks KVM for them.
            arguments.AddRange(["-global", "virtio-net-pci.vectors=0"]);
        }

        string memory = Text(config.MemoryMib);
        string reserved = config.PreallocateMemory ? ",prealloc=on" : "";
        arguments.AddRange(
        [
            "-smp", board.Grows && config.MaxVcpuCount > config.VcpuCount
                ? $"{Text(config.VcpuCount)},maxcpus={Text(config.MaxVcpuCount)}" : Text(config.VcpuCount),
            "-m", board.Grows && config.MaxMemoryMib > config.MemoryMib
                ? $"size={memory}M,slots={Text(MemorySlots)},maxmem={Text(config.MaxMemoryMib)}M" : $"{memory}M",
            // vhost-user daemons map the guest's memory.
            "-object", $"memory-backend-memfd,id=mem0,size={memory}M,share=on{HugePages(config)}{reserved}",
            "-rtc", "base=utc,driftfix=slew,clock=host",
            "-kernel", "/" + KernelName,
        ]);
        if (config.InitrdPath is not null)
        {
            arguments.AddRange(["-initrd", "/" + InitrdName]);
        }

        arguments.AddRange(["-append", KernelParameters(config, vsockPort)]);
        arguments.AddRange(new QemuSocket("monitor", monitor, 0, Listens: true).Arguments);
        arguments.AddRange(["-mon", "chardev=monitor,mode=control"]);
        arguments.AddRange(BusesOf(config, board).SelectMany(static part => part.Arguments));
        arguments.AddRange(devices.SelectMany(static part => part.Arguments));
        if (config.SystemCallFilter.Length > 0)
        {
            arguments.AddRange(["-sandbox", config.SystemCallFilter]);
        }

        return arguments;
    }

    /// <summary>A value inside an option list: QEMU reads <c>,,</c> as one comma.</summary>
    internal static string EscapeValue(string value) => value.Replace(",", ",,", StringComparison.Ordinal);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string HugePages(MachineConfig config) => config.HugePages ? ",hugetlb=on,hugetlbsize=2M" : "";

    // What other devices are plugged into, and the one that reports the guest's panic.
    private static IEnumerable<QemuPart> BusesOf(MachineConfig config, QemuBoard board)
    {
        if (!board.IsPci)
        {
            yield break;
        }

        yield return new QemuFixture("-device", "pvpanic-pci");
        yield return new QemuFrontend(new QmpObject
        {
            ["driver"] = "pci-bridge",
            ["id"] = QemuBoard.HotplugBridge,
            ["bus"] = board.RootBus,
            ["addr"] = string.Create(CultureInfo.InvariantCulture, $"0x{QemuBoard.HotplugBridgeSlot:x}"),
            ["chassis_nr"] = 1,
            ["shpc"] = true, // ACPI tells the guest what is plugged in; but by this the firmware knows to leave room for it
        });
        for (int port = 0; port < config.RootPorts; port++)
        {
            int slot = FirstPortSlot - (port / FunctionsOfASlot);
            yield return new QemuFrontend(new QmpObject
            {
                ["driver"] = "pcie-root-port",
                ["id"] = QemuBoard.PortName(port),
                ["bus"] = board.RootBus,
                ["chassis"] = port + 2,
                ["slot"] = port + 2,
                ["addr"] = string.Create(CultureInfo.InvariantCulture, $"0x{slot:x}.{port % FunctionsOfASlot:x}"),
                ["multifunction"] = true,
            });
        }
    }

    // The configuration's parameters come after ours: the kernel lets the last one win.
    private static string KernelParameters(MachineConfig config, uint? vsockPort)
    {
        string clock = config.TimestampKhz is { } khz ? $"tsc_early_khz={Text(khz)} " : "";
        string emulated = config.Accelerator == Accelerator.Kvm ? "" : $"{EmulatedParameters} {clock}";
        string parameters = $"{emulated}{QemuBoard.Of(config.MachineType).KernelParameters} {config.KernelParameters}";
        return vsockPort is { } port ? $"{parameters} agent.channel=vsock agent.vsock_port={port}" : parameters;
    }
}
