namespace Kata.Linux;

/// <summary>What the processes of a control group have used.</summary>
/// <param name="ProcessorNs">Processor time, nanoseconds.</param>
/// <param name="MemoryBytes">Memory now, page cache included.</param>
/// <param name="Tasks">Threads now.</param>
internal readonly record struct CgroupUsage(ulong ProcessorNs, ulong MemoryBytes, ulong Tasks);
