namespace Kata.Hypervisor;

/// <summary>Kinds of <see cref="Device"/>, for <see cref="MachineCapabilities"/>.</summary>
[Flags]
internal enum DeviceKinds
{
    None = 0,

    /// <summary><see cref="ConsoleDevice"/>.</summary>
    Console = 1 << 0,

    /// <summary><see cref="AgentChannelDevice"/>.</summary>
    AgentChannel = 1 << 1,

    /// <summary><see cref="RandomDevice"/>.</summary>
    Random = 1 << 2,

    /// <summary><see cref="FileShareDevice"/>.</summary>
    FileShare = 1 << 3,

    /// <summary><see cref="DiskDevice"/>.</summary>
    Disk = 1 << 4,

    /// <summary><see cref="NetworkDevice"/>.</summary>
    Network = 1 << 5,

    /// <summary><see cref="HostDevice"/>.</summary>
    Host = 1 << 6,

    /// <summary><see cref="VhostUserNetworkDevice"/>.</summary>
    VhostUserNetwork = 1 << 7,
}
