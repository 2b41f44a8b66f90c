namespace Kata.Hypervisor;

/// <summary>The kinds of <see cref="Device"/>, for <see cref="MachineCapabilities"/>.</summary>
internal enum DeviceKind
{
    /// <summary><see cref="ConsoleDevice"/>.</summary>
    Console,

    /// <summary><see cref="AgentChannelDevice"/>.</summary>
    AgentChannel,

    /// <summary><see cref="RandomDevice"/>.</summary>
    Random,

    /// <summary><see cref="FileShareDevice"/>.</summary>
    FileShare,

    /// <summary><see cref="DiskDevice"/>.</summary>
    Disk,
}
