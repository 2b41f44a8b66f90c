using Kata.Oci;

namespace Kata.Runtime.Commands;

/// <summary>What <c>exec</c> was told to execute.</summary>
/// <param name="Process">The process.</param>
/// <param name="UserName">USER or USER:GROUP with a name in it, for the guest to resolve; null when the process says who it is.</param>
internal sealed record ExecRequest(ProcessSpec Process, string? UserName = null);
