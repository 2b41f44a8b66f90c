namespace Kata.Hypervisor;

/// <summary>Chooses the accelerator and the agent's channel from what the host offers. A pure function.</summary>
internal static class AcceleratorProbe
{
    /// <summary>
    /// KVM only when the device makes virtual machines <em>and</em> the processor has the extensions: some hosts offer a
    /// paravirtual <c>/dev/kvm</c> without them, on which stock kernels never print a line. arm64 has no such CPU flag.
    /// </summary>
    public static AcceleratorChoice Decide(VirtualizationFacts facts)
    {
        AgentTransport transport = facts.VhostVsockProblem is null ? AgentTransport.Vsock : AgentTransport.VirtioSerial;
        string channel = facts.VhostVsockProblem is { } missing ? $"virtio-serial, as {missing}" : "vsock";
        string? obstacle = facts.KvmProblem
            ?? (facts.CpuNeedsFlag && !facts.CpuHasVirtualization ? "the processor has neither 'vmx' nor 'svm' in /proc/cpuinfo" : null);
        return obstacle is null
            ? new AcceleratorChoice(Accelerator.Kvm, transport, $"KVM is usable; agent channel {channel}", null)
            : new AcceleratorChoice(
                Accelerator.Tcg,
                transport,
                $"software emulation (TCG), as {obstacle}; agent channel {channel}",
                $"No hardware virtualization: {obstacle}. The guest runs by software emulation: it is slow, and its isolation is that of "
                + "the emulator. Use a host with KVM for anything but tests")
            {
                TimestampKhz = facts.TimestampKhz,
            };
    }
}
