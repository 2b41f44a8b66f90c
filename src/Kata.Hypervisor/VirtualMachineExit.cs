using Kata.Linux;

namespace Kata.Hypervisor;

/// <summary>How and why a machine ended.</summary>
/// <param name="Component">What ended first: <c>QEMU</c> or <c>guest kernel</c>.</param>
/// <param name="Status">How the VMM's process ended, or null when it could not be learnt.</param>
/// <param name="Reason">A sentence for people, for example <c>QEMU was killed by signal 9</c>; guest text in it is escaped.</param>
/// <param name="Requested">True when our own <see cref="IVirtualMachine.StopAsync"/> ended it.</param>
internal sealed record VirtualMachineExit(string Component, ExitStatus? Status, string Reason, bool Requested);
