using Kata.Linux;

namespace Kata.Hypervisor.Qemu.Tests;

public sealed class QemuExitReasonTests
{
    private const string PanicLine = "[    1.0] Kernel panic - not syncing: VFS: Unable to mount root fs";

    [Theory]
    [InlineData(null, 6, false, false, null, false, "QEMU", "QEMU was killed by signal 6: cannot allocate", false)]
    [InlineData(null, 31, false, false, null, false, "QEMU", "system call filter (signal 31): cannot allocate", false)]
    [InlineData(1, null, false, false, null, false, "QEMU", "QEMU ended with exit code 1: cannot allocate", false)]
    [InlineData(0, null, false, true, "guest-panic", false, "guest kernel", "the guest kernel panicked", false)]
    [InlineData(0, null, false, false, "guest-reset", true, "guest kernel", PanicLine, false)]
    [InlineData(0, null, false, false, "guest-reset", false, "guest", "reset itself", false)]
    [InlineData(0, null, false, false, "guest-shutdown", false, "guest", "powered itself off", false)]
    [InlineData(0, null, true, false, "host-qmp-quit", false, "QEMU", "on request", true)]
    [InlineData(null, null, false, false, null, false, "QEMU", "could not be learnt", false)]
    public void Describe_Table(
        int? code, int? signal, bool requested, bool panicked, string? shutdown, bool panicOnConsole, string component, string reason,
        bool expectRequested)
    {
        ExitStatus? status = code is null && signal is null ? null : new ExitStatus(code, signal);

        VirtualMachineExit exit = QemuExitReason.Describe(
            status, requested, panicked, shutdown, panicOnConsole ? ["booting", PanicLine] : ["booting"], ["cannot allocate"]);

        Assert.Equal((component, expectRequested), (exit.Component, exit.Requested));
        Assert.Contains(reason, exit.Reason);
    }

    [Fact]
    public void Describe_GuestPrintsPanicAndLivesOn_DoesNotHideAKill() =>
        Assert.Equal("QEMU", QemuExitReason.Describe(new ExitStatus(null, 9), false, false, null, [PanicLine], []).Component);
}
