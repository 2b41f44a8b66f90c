namespace Kata.Hypervisor;

/// <summary>What a virtual machine is made of. Pure data, decided by the plan; a driver opens nothing that is not named here.</summary>
internal sealed record VirtualMachineConfig
{
    /// <summary>The host kernel's own generator, which needs no device: getrandom(2).</summary>
    public const string KernelEntropy = "/dev/urandom";

    /// <summary>Shown in the host's process list; the sandbox id.</summary>
    public required string Name { get; init; }

    /// <summary>Absolute path of the VMM's executable.</summary>
    public required string HypervisorPath { get; init; }

    public string MachineType { get; init; } = "q35";

    /// <summary>Absolute path of the guest's kernel, a regular file; opened read-only by us, never by the VMM's own privileges.</summary>
    public required string KernelPath { get; init; }

    /// <summary>Absolute path of the initial RAM file system, or null.</summary>
    public string? InitrdPath { get; init; }

    /// <summary>The complete kernel command line; the driver appends only what finds the agent's channel.</summary>
    public required string KernelParameters { get; init; }

    public int VcpuCount { get; init; } = 1;

    public required int MemoryMib { get; init; }

    /// <summary>Whether the guest's memory is made of the host's huge pages, of 2 MiB; it must be a multiple of them then.</summary>
    public bool HugePages { get; init; }

    /// <summary>Whether all of the guest's memory is taken from the host before the guest starts. With too few huge pages a guest without it dies of the first one missing.</summary>
    public bool PreallocateMemory { get; init; }

    public required Accelerator Accelerator { get; init; }

    public required AgentTransport AgentTransport { get; init; }

    /// <summary>The user the VMM runs as.</summary>
    public uint JailUserId { get; init; } = 65534;

    /// <summary>The group the VMM runs as.</summary>
    public uint JailGroupId { get; init; } = 65534;

    /// <summary>How the VMM filters its own system calls, in its own words; empty for not at all.</summary>
    public string SystemCallFilter { get; init; } = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

    /// <summary>Absolute path of the character device that the guest's random numbers come from; opened read-only by us.</summary>
    public string EntropySource { get; init; } = KernelEntropy;

    /// <summary>Each needs a connected socket in <see cref="VirtualMachineResources.SharedFilesystemSockets"/>.</summary>
    public IReadOnlyList<SharedFilesystem> SharedFilesystems { get; init; } = [];

    /// <summary>How long the VMM may take until it answers on its control channel, and for each control command after that.</summary>
    public TimeSpan MonitorTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long the VMM may take to quit before it is killed.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(2);
}
