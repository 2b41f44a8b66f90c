namespace Kata.Network;

/// <summary>How the interfaces of a pod are connected with its guest. The same for all of them.</summary>
internal sealed record EndpointOptions
{
    /// <summary>As fast as it can be.</summary>
    public static EndpointOptions Default { get; } = new();

    /// <summary>How much the guest may receive by one interface, in bytes a second; null for no limit.</summary>
    public ulong? ReceiveRate { get; init; }

    /// <summary>How much the guest may send by one interface, in bytes a second; null for no limit.</summary>
    public ulong? SendRate { get; init; }
}
