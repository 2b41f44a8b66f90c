namespace Kata.Runtime.Commands;

/// <summary>
/// The machine monitor, the accelerator and the channel it would use, and why. A table of
/// <c>kata-env</c>; the spelling of names is Kata's schema.
/// </summary>
internal sealed record HypervisorSection(
    string MachineType, string Path, string SharedFS, string VirtioFSDaemon, string Accelerator, string AgentTransport, string Reason);
