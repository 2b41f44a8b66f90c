using Kata.Linux;

namespace Kata.Hypervisor.Qemu;

/// <summary>Why a machine ended, from everything that was seen of it. A pure function.</summary>
internal static class QemuExitReason
{
    private const string KernelPanic = "Kernel panic - not syncing";
    private const int SystemCallSignal = 31; // SIGSYS: what a seccomp filter kills with

    public static VirtualMachineExit Describe(
        ExitStatus? status, bool requested, bool guestPanicked, string? shutdownReason, IReadOnlyList<string> console,
        IReadOnlyList<string> messages)
    {
        // Guests without a pvpanic driver reset instead (panic=1); then the console is the only witness.
        string? panicLine = console.LastOrDefault(static line => line.Contains(KernelPanic, StringComparison.Ordinal));
        bool reset = shutdownReason is "guest-reset" or "guest-panic";
        if (guestPanicked || (panicLine is not null && (reset || requested)))
        {
            return new VirtualMachineExit(
                "guest kernel", status, "the guest kernel panicked" + (panicLine is null ? "" : $": '{panicLine}'"),
                requested && !guestPanicked);
        }

        if (requested)
        {
            return new VirtualMachineExit("QEMU", status, "the virtual machine was stopped on request", Requested: true);
        }

        return shutdownReason switch
        {
            "guest-shutdown" => new VirtualMachineExit("guest", status, "the guest powered itself off", Requested: false),
            "guest-reset" => new VirtualMachineExit("guest", status, "the guest reset itself", Requested: false),
            "host-signal" => new VirtualMachineExit("QEMU", status, "QEMU was told to end by a signal", Requested: false),
            _ => new VirtualMachineExit("QEMU", status, DescribeStatus(status, messages), Requested: false),
        };
    }

    private static string DescribeStatus(ExitStatus? status, IReadOnlyList<string> messages)
    {
        string how = status switch
        {
            null => "QEMU's end could not be learnt",
            { Signal: SystemCallSignal } => "QEMU was killed by its system call filter (signal 31)",
            { Signal: { } signal } => $"QEMU was killed by signal {signal}",
            { Code: { } code } => $"QEMU ended with exit code {code}",
            _ => "QEMU ended",
        };
        return messages.Count == 0 ? how : $"{how}: {string.Join(" | ", messages)}";
    }
}
