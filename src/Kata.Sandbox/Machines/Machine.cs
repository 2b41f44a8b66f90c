using Kata.Hypervisor;
using Kata.Storage;

namespace Kata.Sandbox;

/// <summary>
/// A virtual machine with all that it lives from on the host: its daemons, any number of them, and
/// the files that it shares. Disposing ends it all.
/// </summary>
internal sealed class Machine : IAsyncDisposable
{
    /// <summary>From a machine's death until its process is reaped and its console is read.</summary>
    private static readonly TimeSpan s_reapTimeout = TimeSpan.FromSeconds(3);

    private readonly IVirtualMachine _machine;
    private readonly IReadOnlyList<IDeviceBackend> _backends;
    private readonly StepExecutor _executor;
    private readonly string _name;
    private readonly TimeProvider _time;

    /// <summary>Takes over what the steps have made, with the executor that undoes them.</summary>
    public Machine(SandboxPlan plan, SandboxEnvironment environment, VirtualMachineStep machine, SharedSources files, StepExecutor executor)
    {
        (_machine, _backends, _executor, Files) = (machine.Machine, machine.Backends, executor, files);
        (_name, _time) = (plan.Machine.Name, environment.Time);
        Capabilities = environment.Hypervisor.CapabilitiesOf(plan.Machine);
    }

    public MachineId Id { get; } = MachineId.New();

    /// <summary>What it can be asked for.</summary>
    public MachineCapabilities Capabilities { get; }

    /// <summary>Its agent, where it was reached before the machine had a pod; the machine's user owns it.</summary>
    public AgentConnection? Agent { get; set; }

    /// <summary>Completes when something of it has ended. Never faults.</summary>
    public Task Ended => Task.WhenAny([_machine.Exited, .. _backends.Select(static backend => backend.Exited)]);

    /// <summary>What the guest has of the host's files.</summary>
    public SharedSources Files { get; }

    /// <summary>The VMM's process.</summary>
    public int ProcessId => _machine.ProcessId;

    /// <summary>Every process on the host that belongs to it.</summary>
    public IEnumerable<int> ProcessIds => _machine.ProcessIds.Concat(_backends.SelectMany(static backend => backend.ProcessIds));

    /// <summary>What the guest writes, bounded and escaped.</summary>
    public ConsoleLog Console => _machine.Console;

    /// <inheritdoc cref="IVirtualMachine.ConnectAgentAsync"/>
    public Task<Stream> ConnectAgentAsync(CancellationToken cancellationToken) => _machine.ConnectAgentAsync(cancellationToken);

    /// <summary>The threads of its processors, where they are threads of a process; none elsewhere.</summary>
    /// <exception cref="HypervisorException">The VMM does not say.</exception>
    public async Task<IReadOnlyList<int>> ListProcessorThreadsAsync(CancellationToken cancellationToken) =>
        _machine is IVcpuThreads threads ? await threads.ListVcpuThreadsAsync(cancellationToken) : [];

    /// <inheritdoc cref="IDeviceHotplug.PlugAsync"/>
    public Task PlugAsync(Device device, DeviceDescriptors descriptors, CancellationToken cancellationToken) =>
        Hotplug($"give the device '{device.Id}' to", Capabilities.RefusalOf(device, running: true))
            .PlugAsync(device, descriptors, cancellationToken);

    /// <inheritdoc cref="IDeviceHotplug.UnplugAsync"/>
    public Task UnplugAsync(DeviceId id, CancellationToken cancellationToken) =>
        Hotplug($"take the device '{id}' from", Capabilities.NoHotplugReason).UnplugAsync(id, cancellationToken);

    /// <summary>
    /// Completes when something of the machine has ended that nobody asked to, or the agent's channel has. Call once.
    /// </summary>
    /// <param name="channel">Completes with the channel.</param>
    /// <param name="isCondemned">Whether we gave the agent up ourselves, so that nothing else needs to have ended.</param>
    /// <returns>The reason, with the component's name; null when only the channel has ended.</returns>
    public async Task<string?> EndedAsync(Task channel, Func<bool> isCondemned)
    {
        Task ended = await Task.WhenAny([_machine.Exited, .. _backends.Select(static backend => backend.Exited), channel]);
        string? killed = await BackendEndAsync(static exit => exit.WasKilled);
        if (ended != _machine.Exited && killed is null && !isCondemned())
        {
            // The channel closes, and virtiofsd ends, a moment before a machine that dies is reaped: its own reason says more.
            await Task.WhenAny(_machine.Exited, Task.Delay(s_reapTimeout, _time));
        }

        return killed
            ?? (_machine.Exited.IsCompletedSuccessfully ? (await _machine.Exited).Reason : await BackendEndAsync(static _ => true));
    }

    /// <summary>Ends the VMM; the rest goes when this is disposed of.</summary>
    public Task StopAsync() => _machine.StopAsync(CancellationToken.None);

    public async ValueTask DisposeAsync() => await _executor.UndoAllAsync();

    private IDeviceHotplug Hotplug(string action, string? refusal) => refusal is null && _machine is IDeviceHotplug hotplug
        ? hotplug
        : throw new HypervisorException(
            $"Cannot {action} the machine of '{_name}': {refusal ?? "its hypervisor changes no running machine"}");

    private async Task<string?> BackendEndAsync(Func<DeviceBackendExit, bool> counts)
    {
        foreach (IDeviceBackend backend in _backends.Where(static backend => backend.Exited.IsCompleted))
        {
            if (await backend.Exited is var exit && counts(exit))
            {
                return exit.Reason;
            }
        }

        return null;
    }
}
