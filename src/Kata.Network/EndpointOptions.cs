namespace Kata.Network;

/// <summary>How the interfaces of a pod are connected with its guest. The same for all of them.</summary>
internal sealed record EndpointOptions
{
    /// <summary>As fast as it can be.</summary>
    public static EndpointOptions Default { get; } = new();

    /// <summary>How each is connected.</summary>
    public EndpointModel Model { get; init; }

    /// <summary>
    /// Whether a card may have several queues. A macvtap goes with its interface, whoever has it open, and QEMU (7.2) aborts where one of
    /// several queues cannot be turned on or off any more.
    /// </summary>
    public bool IsMultiQueue => Model != EndpointModel.Macvtap;

    /// <summary>How much the guest may receive by one interface, in bytes a second; null for no limit.</summary>
    public ulong? ReceiveRate { get; init; }

    /// <summary>How much the guest may send by one interface, in bytes a second; null for no limit.</summary>
    public ulong? SendRate { get; init; }
}
