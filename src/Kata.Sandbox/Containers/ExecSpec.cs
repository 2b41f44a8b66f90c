using Kata.Linux;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>What somebody asks to execute.</summary>
/// <param name="Process">The process.</param>
/// <param name="UserName">
/// USER or USER:GROUP with a name in it, which the guest resolves in the container's files; null: the process says who it is.
/// </param>
/// <param name="CallerLimits">What the process has where it asks for no limit of its own.</param>
/// <param name="PlainNewlines">Whether its terminal leaves the newlines that it writes as they are.</param>
internal sealed record ExecSpec(
    ProcessSpec Process, string? UserName, IReadOnlyList<ResourceLimit> CallerLimits, bool PlainNewlines = false);
