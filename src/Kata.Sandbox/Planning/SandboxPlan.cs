using Kata.Hypervisor;
using Kata.Network;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>Everything that one pod needs, decided before anything is made.</summary>
internal sealed record SandboxPlan
{
    public required SandboxId Id { get; init; }

    /// <summary>The driver's name.</summary>
    public required string Hypervisor { get; init; }

    public required MachineConfig Machine { get; init; }

    /// <summary>Processors that the machine has whatever its containers may use.</summary>
    public required int BaseVcpus { get; init; }

    /// <summary>The control group of the pod's processes, from the root of each hierarchy.</summary>
    public required string Cgroup { get; init; }

    /// <summary>The control group of the machine's processors, which alone is limited then; null when <see cref="Cgroup"/> is.</summary>
    public required string? ProcessorCgroup { get; init; }

    /// <summary>
    /// Absolute path of the character device that the guest's random numbers come from, or <see cref="RandomSource.Kernel"/>.
    /// </summary>
    public string EntropySource { get; init; } = RandomSource.Kernel;

    /// <summary>
    /// The file of the network namespace whose interfaces the guest gets, as the pod's caller sees it; null for a guest without a network.
    /// </summary>
    public string? NetworkNamespace { get; init; }

    /// <summary>Whether the host's network may be asked for, which gives the guest none.</summary>
    public bool AllowsHostNetwork { get; init; }

    /// <summary>The network that a file names, in place of those interfaces; null for none.</summary>
    public DirectNetwork? DirectNetwork { get; init; }

    /// <summary>How the interfaces of that namespace are connected with the guest.</summary>
    public EndpointOptions Interfaces { get; init; } = EndpointOptions.Default;

    /// <summary>What the machine starts with, besides what every one has.</summary>
    public IReadOnlyList<StoragePlan> Storages { get; init; } = [];

    /// <summary>Absolute path of virtiofsd.</summary>
    public required string VirtioFsDaemonPath { get; init; }

    /// <summary>virtiofsd's cache mode, as the configuration has it.</summary>
    public required string VirtioFsCache { get; init; }

    /// <summary>Further arguments for virtiofsd.</summary>
    public IReadOnlyList<string> VirtioFsExtraArguments { get; init; } = [];

    public required SandboxTimeouts Timeouts { get; init; }

    /// <summary>The guest's host name; empty to keep its own.</summary>
    public string Hostname { get; init; } = "";

    /// <summary>The pod's <c>/dev/shm</c>, or null when its containers share none.</summary>
    public SharedMemory? SharedMemory { get; init; }

    /// <summary>What the guest gets before the first container.</summary>
    public IReadOnlyList<GuestFile> Files { get; init; } = [];

    /// <summary>Whether the guest has one pid namespace for all containers that ask for the pod's.</summary>
    public bool SharesPidNamespace { get; init; }

    /// <summary>Whether seccomp profiles are carried out in the guest.</summary>
    public bool GuestSeccomp { get; init; } = true;

    /// <summary>Whether block devices of the host go to the guest as such; else the host mounts them.</summary>
    public bool BlockDevices { get; init; } = true;

    /// <summary>Kernel modules the agent loads, each <c>NAME PARAMETER...</c>.</summary>
    public IReadOnlyList<string> KernelModules { get; init; } = [];

    /// <summary>Whether the pod's service logs what developers want to know.</summary>
    public bool Debug { get; init; }

    /// <summary>What an operator should know, once per pod.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
