namespace Kata.Hypervisor;

/// <summary>A process on the host that one of a machine's devices lives from: a file server, a disk's. Disposing ends it.</summary>
internal interface IDeviceBackend : IAsyncDisposable
{
    /// <summary>Every process of it, the one that was started first.</summary>
    IReadOnlyList<int> ProcessIds { get; }

    /// <summary>Completes, never faulted, with the reason why it ended.</summary>
    Task<DeviceBackendExit> Exited { get; }
}
