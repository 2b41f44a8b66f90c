namespace Kata.Sandbox;

/// <summary>What a pod's virtual machine has. It does not grow yet.</summary>
/// <param name="Vcpus">Processors, numbered from 0.</param>
/// <param name="MemoryBytes">All of it, the guest kernel's own share included.</param>
internal readonly record struct MachineSize(int Vcpus, long MemoryBytes);
