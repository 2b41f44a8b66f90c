namespace Kata.Hypervisor.Qemu;

/// <summary>Under which numbers QEMU finds what the service opened for it. Everything it uses is here: it opens nothing by a host name.</summary>
internal sealed record QemuDescriptors
{
    /// <summary>The control channel, a connected socket.</summary>
    public int Monitor { get; init; } = 3;

    /// <summary>The serial console, a connected socket.</summary>
    public int Console { get; init; } = 4;

    /// <summary>The agent's channel: a connected socket for virtio-serial, the vhost device for vsock.</summary>
    public int Agent { get; init; } = 5;

    /// <summary>The guest's vsock address, 0 for virtio-serial.</summary>
    public uint VsockContextId { get; init; }

    /// <summary>The host's vsock port that the agent dials, 0 for virtio-serial.</summary>
    public uint VsockPort { get; init; }

    /// <summary>The vhost-user socket of the first shared file system; the others follow.</summary>
    public int FirstSharedFilesystem { get; init; } = 6;

    /// <summary>The source of random numbers, where it is a device; after the shared file systems.</summary>
    public int Entropy { get; init; }
}
