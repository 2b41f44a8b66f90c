using Kata.Hypervisor;
using Kata.Oci;

namespace Kata.Sandbox.Tests;

public sealed class BootTextTests
{
    private readonly SandboxId _id = SandboxId.Parse("p1");

    [Fact]
    public void BootTimeoutText_SilentGuest_PointsAtItsFilesFirst()
    {
        using var console = new ConsoleLog(path: null);
        Assert.Equal(
            "Cannot boot the guest of 'p1': its agent did not answer within 8 s, and the guest wrote nothing on its console. "
            + "Check the kernel and the image that 'kata-runtime kata-env' names. A slow host needs a longer boot_timeout",
            GuestSandbox.BootTimeoutText(_id, TimeSpan.FromSeconds(8), console));
    }

    [Fact]
    public void BootTimeoutText_GuestThatSpoke_EndsWithItsLastLines()
    {
        using var console = new ConsoleLog(path: null);
        console.Append("one\ntwo\n"u8);
        Assert.Equal(
            "Cannot boot the guest of 'p1': its agent did not answer within 1.5 s. "
                + "A slow host needs a longer boot_timeout. Last console lines: one | two",
            GuestSandbox.BootTimeoutText(_id, TimeSpan.FromSeconds(1.5), console));
    }
}
