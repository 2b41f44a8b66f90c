namespace Kata.Hypervisor;

/// <summary>What the agent's byte stream travels on.</summary>
internal enum AgentTransport
{
    /// <summary>A virtio-serial port named <c>agent.channel.0</c>; works on every host.</summary>
    VirtioSerial,

    /// <summary>vhost-vsock: the agent dials a port of the host. Needs <c>/dev/vhost-vsock</c>.</summary>
    Vsock,
}
