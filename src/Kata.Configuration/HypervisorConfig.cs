namespace Kata.Configuration;

/// <summary>The <c>[hypervisor.NAME]</c> table that applies, checked and complete.</summary>
internal sealed record HypervisorConfig
{
    /// <summary>Which hypervisor; whether there is a driver for it is the caller's to say.</summary>
    public required string Name { get; init; }

    /// <summary>The monitor's executable. Not checked for existence: the driver does, when it needs it.</summary>
    public required string Path { get; init; }

    public required string KernelPath { get; init; }

    /// <summary>The initial RAM disk; null when <see cref="ImagePath"/> is used.</summary>
    public required string? InitrdPath { get; init; }

    /// <summary>The root file system image; null when <see cref="InitrdPath"/> is used.</summary>
    public required string? ImagePath { get; init; }

    /// <summary>Words for the end of the kernel's command line; empty for none.</summary>
    public required string KernelParameters { get; init; }

    /// <summary>The emulated machine; empty for the driver's choice.</summary>
    public required string MachineType { get; init; }

    /// <summary>From 1 to the host's count.</summary>
    public required int DefaultVcpus { get; init; }

    /// <summary><see cref="DefaultVcpus"/> before it is rounded up.</summary>
    public required double Vcpus { get; init; }

    /// <summary>From <see cref="DefaultVcpus"/> to the host's count.</summary>
    public required int MaxVcpus { get; init; }

    public required long MemoryMib { get; init; }

    /// <summary>At least <see cref="MemoryMib"/>.</summary>
    public required long MaxMemoryMib { get; init; }

    /// <summary>PCI Express ports that are left free.</summary>
    public required int RootPorts { get; init; }

    public required bool HugePages { get; init; }

    public required bool PreallocateMemory { get; init; }

    /// <summary><c>virtio-fs</c>, or what is refused.</summary>
    public required string SharedFs { get; init; }

    /// <summary>The virtiofsd executable; the first usual place where none exists.</summary>
    public required string VirtioFsDaemonPath { get; init; }

    /// <summary><c>none</c>, <c>never</c>, <c>metadata</c>, <c>auto</c> or <c>always</c>.</summary>
    public required string VirtioFsCache { get; init; }

    public required IReadOnlyList<string> VirtioFsExtraArguments { get; init; }

    /// <summary>Whether root file systems that are disks are mounted on the host and shared.</summary>
    public required bool DisableBlockDeviceUse { get; init; }

    public required string EntropySource { get; init; }

    /// <summary>What the guest may receive by each interface; 0 for no limit.</summary>
    public required long ReceiveBitsPerSecond { get; init; }

    /// <summary>What the guest may send by each interface; 0 for no limit.</summary>
    public required long SendBitsPerSecond { get; init; }

    /// <summary>Patterns of options that annotations may set; see <see cref="ConfigurationAnnotations"/>.</summary>
    public required IReadOnlyList<string> EnableAnnotations { get; init; }

    /// <summary>QEMU's <c>-sandbox</c> argument; empty when it is turned off.</summary>
    public required string SeccompSandbox { get; init; }

    public required bool EnableDebug { get; init; }
}
