namespace Kata.Runtime.Factory;

/// <summary>A machine that waits in the pool.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Pid">Its service.</param>
/// <param name="Vcpus">Its processors.</param>
/// <param name="MemoryMib">Its memory, in MiB.</param>
internal sealed record WaitingMachine(string Name, int Pid, int Vcpus, int MemoryMib);
