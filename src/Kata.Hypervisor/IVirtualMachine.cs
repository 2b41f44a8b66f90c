namespace Kata.Hypervisor;

/// <summary>
/// One virtual machine and the process that runs it. What else it can do is in small interfaces of their own
/// (<c>vm is IPause</c>). Disposing stops it.
/// </summary>
internal interface IVirtualMachine : IAsyncDisposable
{
    /// <summary>The VMM's process id on the host.</summary>
    /// <exception cref="InvalidOperationException">Not started yet.</exception>
    int ProcessId { get; }

    /// <summary>Every process on the host that belongs to this machine; empty before it is started.</summary>
    IReadOnlyList<int> ProcessIds { get; }

    /// <summary>The guest's console, already bounded and escaped where it is quoted.</summary>
    ConsoleLog Console { get; }

    /// <summary>Completes when the machine has ended, for whatever reason, and its process is reaped. Never faults.</summary>
    Task<VirtualMachineExit> Exited { get; }

    /// <summary>Starts the VMM and the guest's processors. Call once.</summary>
    /// <exception cref="HypervisorException">
    /// The VMM ended or did not answer; its last messages are in the text. Nothing is left running.
    /// </exception>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Waits, by event, until the agent has opened its channel. The caller owns the stream. Call once, after
    /// <see cref="StartAsync"/>; how long to wait is the caller's decision.
    /// </summary>
    /// <exception cref="HypervisorException">The machine ended first; the reason and the console's end are in the text.</exception>
    Task<Stream> ConnectAgentAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Ends the machine: asks the VMM to quit, and kills it when <see cref="MachineConfig.StopTimeout"/> has passed or
    /// <paramref name="cancellationToken"/> is cancelled. Returns when the process is reaped. Idempotent.
    /// </summary>
    Task StopAsync(CancellationToken cancellationToken);
}
