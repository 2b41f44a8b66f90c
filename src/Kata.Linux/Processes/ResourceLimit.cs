namespace Kata.Linux;

/// <summary>A limit of a process, getrlimit(2); <see cref="ulong.MaxValue"/> is none.</summary>
/// <param name="Type">The kernel's name: <c>RLIMIT_NOFILE</c>.</param>
/// <param name="Soft">What holds.</param>
/// <param name="Hard">What the process may raise it to.</param>
internal readonly record struct ResourceLimit(string Type, ulong Soft, ulong Hard);
