using Kata.Linux.Interop;

namespace Kata.Agent.Boot;

/// <summary>The end of the virtual machine.</summary>
internal static class PowerControl
{
    /// <summary>
    /// Writes dirty pages back and switches the machine off; returns only when the kernel refuses (not PID 1's namespace).
    /// </summary>
    public static void PowerOff()
    {
        LibC.sync();
        _ = LibC.reboot(LibC.RB_POWER_OFF);
    }
}
