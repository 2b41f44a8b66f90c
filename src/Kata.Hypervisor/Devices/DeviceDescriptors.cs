using Kata.Linux;

namespace Kata.Hypervisor;

/// <summary>What the service opened for devices, by their ids. Owns every descriptor in it.</summary>
internal sealed class DeviceDescriptors : IDisposable
{
    private readonly Dictionary<DeviceId, List<SafeFileDescriptor>> _descriptors = [];

    /// <summary>Takes ownership of one more descriptor of a device; their order is the device's.</summary>
    public void Add(DeviceId id, SafeFileDescriptor descriptor)
    {
        if (!_descriptors.TryGetValue(id, out List<SafeFileDescriptor>? list))
        {
            _descriptors[id] = list = [];
        }

        list.Add(descriptor);
    }

    /// <summary>Those of one device, borrowed.</summary>
    /// <exception cref="ArgumentException">There are more or fewer than the device needs: a mistake of whoever made it.</exception>
    public IReadOnlyList<SafeFileDescriptor> Of(Device device)
    {
        List<SafeFileDescriptor> found = _descriptors.GetValueOrDefault(device.Id) ?? [];
        return found.Count == device.DescriptorCount
            ? found
            : throw new ArgumentException(
                $"The device '{device.Id}' has {found.Count} descriptors and needs {device.DescriptorCount}", nameof(device));
    }

    public void Dispose()
    {
        foreach (SafeFileDescriptor descriptor in _descriptors.Values.SelectMany(static list => list))
        {
            descriptor.Dispose();
        }
    }
}
