namespace Kata.Hypervisor.Qemu;

/// <summary>Who has which place behind a bridge, or which port. Thread-safe.</summary>
/// <param name="ports">How many ports there are for devices of the host, of one place each.</param>
internal sealed class PciSlots(int ports = 0)
{
    /// <summary>The place that is the first port.</summary>
    public const int FirstPort = End;

    /// <summary>The bus has 32 places; the first is the bridge's own.</summary>
    private const int First = 1;

    private const int End = 32;

    private readonly Lock _gate = new();
    private readonly Dictionary<DeviceId, int> _taken = []; // guarded by _gate

    /// <summary>Takes the lowest free place; null when there is none.</summary>
    /// <param name="device">Who is to have it.</param>
    /// <param name="isOfHost">Whether it has a port, where one is free.</param>
    public int? Take(DeviceId device, bool isOfHost = false)
    {
        IEnumerable<int> own = isOfHost ? Enumerable.Range(FirstPort, ports) : [];
        lock (_gate)
        {
            foreach (int slot in own.Concat(Enumerable.Range(First, End - First)))
            {
                if (!_taken.ContainsValue(slot))
                {
                    _taken.Add(device, slot);
                    return slot;
                }
            }

            return null;
        }
    }

    /// <summary>The place of a device; null when it has none.</summary>
    public int? Find(DeviceId device)
    {
        lock (_gate)
        {
            return _taken.TryGetValue(device, out int slot) ? slot : null;
        }
    }

    public void Release(DeviceId device)
    {
        lock (_gate)
        {
            _taken.Remove(device);
        }
    }
}
