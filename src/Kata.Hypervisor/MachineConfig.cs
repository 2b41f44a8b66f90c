namespace Kata.Hypervisor;

/// <summary>What a virtual machine is made of. Pure data, decided by the plan; a driver opens nothing that is not named here.</summary>
internal sealed record MachineConfig
{
    /// <summary>Shown in the host's process list; the sandbox id.</summary>
    public required string Name { get; init; }

    /// <summary>Absolute path of the VMM's executable.</summary>
    public required string HypervisorPath { get; init; }

    /// <summary>The VMM's name of the board; empty for the driver's choice.</summary>
    public string MachineType { get; init; } = "";

    /// <summary>Absolute path of the guest's kernel, a regular file; opened read-only by us, never by the VMM's own privileges.</summary>
    public required string KernelPath { get; init; }

    /// <summary>Absolute path of the initial RAM file system, or null.</summary>
    public string? InitrdPath { get; init; }

    /// <summary>The complete kernel command line; the driver appends only what finds the agent's channel.</summary>
    public required string KernelParameters { get; init; }

    public int VcpuCount { get; init; } = 1;

    /// <summary>How many processors the machine may be given while it runs; at least <see cref="VcpuCount"/>.</summary>
    public int MaxVcpuCount { get; init; } = 1;

    public required int MemoryMib { get; init; }

    /// <summary>
    /// How much memory the machine may be given while it runs; what it has from the start counts. At least <see cref="MemoryMib"/>.
    /// </summary>
    public int MaxMemoryMib { get; init; }

    /// <summary>PCI Express ports that are left free for host devices.</summary>
    public int RootPorts { get; init; }

    /// <summary>Whether the guest's memory is made of the host's huge pages, of 2 MiB; it must be a multiple of them then.</summary>
    public bool HugePages { get; init; }

    /// <summary>
    /// Whether all of the guest's memory is taken from the host before the guest starts. With too
    /// few huge pages a guest without it dies of the first one missing.
    /// </summary>
    public bool PreallocateMemory { get; init; }

    public required Accelerator Accelerator { get; init; }

    /// <summary>
    /// How fast the guest's time stamp counter runs, in kHz, where that is known: an emulated one is the host's own. A kernel that has to
    /// find out measures nonsense on a busy host: its clock goes wrong, or it waits for ever where there is no second timer.
    /// </summary>
    public int? TimestampKhz { get; init; }

    /// <summary>The user the VMM runs as.</summary>
    public uint JailUserId { get; init; } = 65534;

    /// <summary>The group the VMM runs as.</summary>
    public uint JailGroupId { get; init; } = 65534;

    /// <summary>How the VMM filters its own system calls, in its own words; empty for not at all.</summary>
    public string SystemCallFilter { get; init; } = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

    /// <summary>
    /// What the machine has from the start. A guest that is to be told from a dead one has a console and the agent's channel.
    /// </summary>
    public IReadOnlyList<Device> Devices { get; init; } = [];

    /// <summary>How the agent is reached; null in a machine without it.</summary>
    public AgentTransport? AgentTransport => Devices.OfType<AgentChannelDevice>().FirstOrDefault()?.Transport;

    /// <summary>How long the VMM may take until it answers on its control channel, and for each control command after that.</summary>
    public TimeSpan MonitorTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long the VMM may take to quit before it is killed.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(2);
}
