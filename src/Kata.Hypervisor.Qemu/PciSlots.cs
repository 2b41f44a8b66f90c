namespace Kata.Hypervisor.Qemu;

/// <summary>Who has which place behind a bridge. Thread-safe.</summary>
internal sealed class PciSlots
{
    /// <summary>The bus has 32 places; the first is the bridge's own.</summary>
    private const int First = 1;

    private const int End = 32;

    private readonly Lock _gate = new();
    private readonly Dictionary<DeviceId, int> _taken = []; // guarded by _gate

    /// <summary>Takes the lowest free place; null when there is none.</summary>
    public int? Take(DeviceId device)
    {
        lock (_gate)
        {
            for (int slot = First; slot < End; slot++)
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
