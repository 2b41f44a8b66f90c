using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>How large a pod's machine is.</summary>
/// <param name="Vcpus">Processors.</param>
/// <param name="MemoryMib">Memory, the guest kernel's own share included.</param>
/// <param name="Warnings">What was asked for and is not given; one sentence each.</param>
internal sealed record SandboxSize(int Vcpus, int MemoryMib, IReadOnlyList<string> Warnings)
{
    /// <summary>
    /// What the containers of a pod may use together beyond what its machine has, or null. A container that joins later does not make
    /// the machine larger; whoever makes the pod says with it how large it will be.
    /// </summary>
    public static string? ShortageOf(IReadOnlyCollection<LinuxResources> containers, MachineSize machine)
    {
        double memory = 0, processors = 0; // sums that are shown and compared, of numbers that may be absurd
        foreach (LinuxResources item in containers)
        {
            memory += SandboxPlanner.MemoryLimitOf(item) ?? 0;
            processors += PodLimits.ProcessorsOf(item.Cpu?.Quota, item.Cpu?.Period) / 1000.0;
        }

        string? missing = memory > machine.MemoryBytes
            ? FormattableString.Invariant($"{memory} bytes of memory, and its machine has {machine.MemoryBytes}")
            : processors > machine.Vcpus
                ? FormattableString.Invariant($"the time of {processors:0.##} processors, and its machine has {machine.Vcpus}")
                : null;
        return missing is null
            ? null
            : $"The containers of the pod may use {missing}: a machine does not grow yet. "
                + "Have the engine write the pod's limits into the annotations of its sandbox, or raise default_memory and default_vcpus";
    }
}
