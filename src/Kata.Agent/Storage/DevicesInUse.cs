namespace Kata.Agent.Storage;

/// <summary>
/// The block devices that are storages, each of one: of two mounts of a device neither could be removed, as the other holds the device.
/// Thread-safe.
/// </summary>
internal sealed class DevicesInUse
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _devices = new(StringComparer.Ordinal); // guarded by _gate

    /// <exception cref="Grpc.Core.RpcException">FailedPrecondition: another storage has it.</exception>
    public void Take(string device)
    {
        lock (_gate)
        {
            if (!_devices.Add(device))
            {
                throw AgentException.WrongState(
                    $"Cannot use the block device '{device}': another storage has it. Use that one, or remove it first");
            }
        }
    }

    public void Release(string device)
    {
        lock (_gate)
        {
            _devices.Remove(device);
        }
    }
}
